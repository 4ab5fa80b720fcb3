//! Price providers over what they really use: HTTP from a server on this machine, files in a folder.

mod aws_spot_advisor;
mod azure_retail;
mod file;
mod support;
