//! What scans make of lines, good and bad.
