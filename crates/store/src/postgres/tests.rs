//! The contract on PostgreSQL, and what is PostgreSQL's own.

mod agree;
mod beds;
mod nodes;
mod outages;
mod secrecy;
mod statements;
mod versions;

mod server {
    use super::beds::OnServer;
    crate::contract::contract_suite!(if there OnServer::new);
}
