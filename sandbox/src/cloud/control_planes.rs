//! What the processes behind clusters and the account's tables tell each other.

use jiff::Timestamp;

use super::Cloud;
use super::call::Call;
use super::principal::Principal;
use super::table::{Moment, Scope};
use crate::client::ClusterStatus;
use crate::kubernetes::token::Token;
use crate::protocol::json::document::Document;
use crate::protocol::params::Params;
use crate::protocol::request::Request;
use crate::services;
use crate::services::eks::control_plane::{self, ClusterKey, User, WantedCluster};

/// The secret of every access key that STS did not make.
const SECRET: &str = "sandbox";

impl Cloud {
    /// From now on clusters get a control plane, those included that are there without one.
    pub(crate) fn begin_kubernetes(&mut self) -> std::io::Result<()> {
        self.has_kubernetes = true;
        self.begin(&Moment::plain(self.clock.now()));
        control_plane::begin(&mut self.tables);
        self.write_down()
    }

    /// Whether clusters get a control plane.
    pub(crate) fn has_kubernetes(&self) -> bool {
        self.has_kubernetes
    }

    /// What there is of the clusters that ought to have a control plane.
    pub(crate) fn cluster_statuses(&mut self) -> Vec<ClusterStatus> {
        let clusters = self.wanted_clusters().into_iter();
        let tables = &self.tables;
        clusters
            .map(|WantedCluster { key, nodes, .. }| ClusterStatus {
                endpoint: control_plane::endpoint(tables, &key),
                account: key.scope.account.to_string(),
                region: key.scope.region.to_string(),
                name: key.name,
                nodes: nodes.len(),
            })
            .collect()
    }

    /// The clusters that ought to have a control plane. What time has brought about is written down by the next call.
    pub(crate) fn wanted_clusters(&mut self) -> Vec<WantedCluster> {
        let now = self.clock.now();
        self.begin(&Moment::plain(now));
        services::settle(&mut self.tables, now);
        control_plane::wanted(&self.tables, now)
    }

    /// Whether there is a cluster of an identity.
    pub(crate) fn has_cluster(&mut self, identity: &str) -> bool {
        self.begin(&Moment::plain(self.clock.now()));
        control_plane::cluster_of(&self.tables, identity).is_some()
    }

    /// Whether nothing but a control plane, or the nodes in it, is missing to the cluster or the node group that a request
    /// asks for by its path.
    pub(crate) fn is_behind(&mut self, request: &Request) -> bool {
        let now = self.clock.now();
        self.begin(&Moment::plain(now));
        services::settle(&mut self.tables, now);
        let key = &request.credentials.access_key;
        let Ok(caller) = Principal::of(key, &self.default_account, &self.tables, now) else { return false };
        let scope = Scope::new(&caller.account, &request.credentials.region);
        control_plane::is_behind(&self.tables, &scope, &request.path, now)
    }

    /// A control plane answers.
    pub(crate) fn control_plane_answers(
        &mut self,
        key: &ClusterKey,
        endpoint: &str,
        certificate_authority: &str,
    ) -> std::io::Result<()> {
        self.begin(&Moment::plain(self.clock.now()));
        control_plane::answers(&mut self.tables, key, endpoint, certificate_authority);
        self.write_down()
    }

    /// A control plane could not be started.
    pub(crate) fn control_plane_failed(&mut self, key: &ClusterKey, reason: &str) -> std::io::Result<()> {
        self.begin(&Moment::plain(self.clock.now()));
        control_plane::failed(&mut self.tables, key, reason);
        self.write_down()
    }

    /// The nodes of these groups of a cluster are there.
    pub(crate) fn nodes_joined(&mut self, key: &ClusterKey, groups: &[String]) -> std::io::Result<()> {
        self.begin(&Moment::plain(self.clock.now()));
        for group in groups {
            control_plane::joined(&mut self.tables, key, group);
        }
        self.write_down()
    }

    /// Looks at an account and a region, as AWS itself.
    pub(crate) fn look<T>(&mut self, scope: &Scope, look: impl FnOnce(&mut Call<'_>) -> T) -> T {
        self.within(scope, &Principal::aws(&scope.account), look)
    }

    /// Changes something in an account and a region as somebody, on behalf of what runs in a cluster: no call over the wire,
    /// so it is neither counted nor disturbed. It is written down when this returns.
    pub(crate) fn change<T>(
        &mut self,
        scope: &Scope,
        principal: &Principal,
        change: impl FnOnce(&mut Call<'_>) -> T,
    ) -> std::io::Result<T> {
        let done = self.within(scope, principal, change);
        self.write_down()?;
        Ok(done)
    }

    fn within<T>(&mut self, scope: &Scope, principal: &Principal, run: impl FnOnce(&mut Call<'_>) -> T) -> T {
        let now = self.clock.now();
        self.begin(&Moment::plain(now));
        services::settle(&mut self.tables, now);
        let request = Request::unsent(&scope.region);
        run(&mut Call {
            request: &request,
            params: &Params::new(Vec::new()),
            document: &Document::absent(),
            scope: scope.clone(),
            principal: principal.clone(),
            tables: &mut self.tables,
            identifiers: &mut self.identifiers,
            blobs: self.store.blobs(),
            now,
            pace: self.pace,
            has_kubernetes: self.has_kubernetes,
            quotas: self.faults.plan().quotas.clone(),
            shuffle: None,
        })
    }

    /// Whom the cluster of an identity takes the bearer of a token for, at a real time; `None` for one that it does not let
    /// in.
    pub(crate) fn user_of_token(&mut self, identity: &str, token: &str, real_now: Timestamp) -> Option<User> {
        let now = self.clock.now();
        self.begin(&Moment::plain(now));
        services::settle(&mut self.tables, now);
        let key = control_plane::cluster_of(&self.tables, identity)?;
        let token = Token::read(token, real_now)?;
        let caller = Principal::of(&token.access_key, &self.default_account, &self.tables, now).ok()?;
        let session = self.tables.sts.sessions.newest(&Scope::new("", ""), &token.access_key);
        let secret = match session {
            Some(session) => session.secret_access_key.as_deref()?,
            None => SECRET,
        };
        if !token.is_signed(secret, &key.name) {
            return None;
        }
        control_plane::user(&self.tables, &key, &caller)
    }
}
