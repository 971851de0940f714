//! The text of a policy: AWS's `Policy` shape as received, kept to be echoed, parsed to be used.
