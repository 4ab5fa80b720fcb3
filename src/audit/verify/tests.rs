//! Chains that are whole, and every way to break one.
