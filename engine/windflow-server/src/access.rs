//! Who may do what: roles of people, scopes of keys.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a person may do; each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees workflows and runs.
    Viewer,
    /// Changes workflows, and starts runs.
    Editor,
    /// Enables workflows, cancels and resumes runs, keeps secrets.
    Operator,
    /// Lets people and keys in.
    Admin,
}

/// One thing that may be done. Every endpoint asks for exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum Permission {
    /// Reading workflows, their versions, node types.
    #[serde(rename = "workflows:read")]
    WorkflowsRead,
    /// Creating, changing and deleting workflows.
    #[serde(rename = "workflows:write")]
    WorkflowsWrite,
    /// Switching the triggers of workflows on and off.
    #[serde(rename = "workflows:enable")]
    WorkflowsEnable,
    /// Reading runs, live ones too.
    #[serde(rename = "runs:read")]
    RunsRead,
    /// Starting runs.
    #[serde(rename = "runs:start")]
    RunsStart,
    /// Cancelling and resuming runs.
    #[serde(rename = "runs:operate")]
    RunsOperate,
    /// Setting and removing secrets, which nobody can read.
    #[serde(rename = "secrets:manage")]
    SecretsManage,
    /// People and keys.
    #[serde(rename = "people:manage")]
    PeopleManage,
    /// Reading the server's metrics.
    #[serde(rename = "metrics:read")]
    MetricsRead,
    /// Reading targets, without their credentials.
    #[serde(rename = "targets:read")]
    TargetsRead,
    /// Describing, testing and forgetting targets.
    #[serde(rename = "targets:manage")]
    TargetsManage,
    /// Reading stacks and deployments, and what their containers write.
    #[serde(rename = "stacks:read")]
    StacksRead,
    /// Keeping stacks.
    #[serde(rename = "stacks:write")]
    StacksWrite,
    /// Deploying stacks, and looking after what is deployed.
    #[serde(rename = "stacks:deploy")]
    StacksDeploy,
    /// Looking at templates.
    #[serde(rename = "templates:read")]
    TemplatesRead,
    /// Installing, reviewing and publishing templates.
    #[serde(rename = "templates:write")]
    TemplatesWrite,
    /// Which registries templates come from.
    #[serde(rename = "registries:manage")]
    RegistriesManage,
    /// Installing and removing plugins, for everybody whom the server serves.
    #[serde(rename = "plugins:manage")]
    PluginsManage,
}

impl Permission {
    /// Every one there is.
    pub const ALL: [Self; 18] = [
        Self::WorkflowsRead,
        Self::WorkflowsWrite,
        Self::WorkflowsEnable,
        Self::RunsRead,
        Self::RunsStart,
        Self::RunsOperate,
        Self::SecretsManage,
        Self::PeopleManage,
        Self::MetricsRead,
        Self::TargetsRead,
        Self::TargetsManage,
        Self::StacksRead,
        Self::StacksWrite,
        Self::StacksDeploy,
        Self::TemplatesRead,
        Self::TemplatesWrite,
        Self::RegistriesManage,
        Self::PluginsManage,
    ];

    /// The word for it, as scopes of keys have it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::WorkflowsRead => "workflows:read",
            Self::WorkflowsWrite => "workflows:write",
            Self::WorkflowsEnable => "workflows:enable",
            Self::RunsRead => "runs:read",
            Self::RunsStart => "runs:start",
            Self::RunsOperate => "runs:operate",
            Self::SecretsManage => "secrets:manage",
            Self::PeopleManage => "people:manage",
            Self::MetricsRead => "metrics:read",
            Self::TargetsRead => "targets:read",
            Self::TargetsManage => "targets:manage",
            Self::StacksRead => "stacks:read",
            Self::StacksWrite => "stacks:write",
            Self::StacksDeploy => "stacks:deploy",
            Self::TemplatesRead => "templates:read",
            Self::TemplatesWrite => "templates:write",
            Self::RegistriesManage => "registries:manage",
            Self::PluginsManage => "plugins:manage",
        }
    }

    /// The smallest role that has it.
    #[must_use]
    pub fn least_role(self) -> Role {
        match self {
            Self::WorkflowsRead | Self::RunsRead | Self::TargetsRead | Self::StacksRead | Self::TemplatesRead => {
                Role::Viewer
            }
            Self::WorkflowsWrite | Self::RunsStart | Self::StacksWrite | Self::TemplatesWrite => Role::Editor,
            Self::WorkflowsEnable
            | Self::RunsOperate
            | Self::SecretsManage
            | Self::MetricsRead
            | Self::StacksDeploy => Role::Operator,
            // Whoever names an engine owns its machine; whoever names a registry or installs a plugin says whom to trust.
            Self::PeopleManage | Self::TargetsManage | Self::RegistriesManage | Self::PluginsManage => Role::Admin,
        }
    }
}

impl Role {
    /// Whether it has a permission.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        self >= permission.least_role()
    }

    /// Everything it may do.
    #[must_use]
    pub fn permissions(self) -> BTreeSet<Permission> {
        Permission::ALL.into_iter().filter(|permission| self.may(*permission)).collect()
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Viewer, Self::Editor, Self::Operator, Self::Admin];
        all.into_iter()
            .find(|role| role.word() == text)
            .ok_or_else(|| "the roles are viewer, editor, operator and admin".to_owned())
    }
}

impl std::str::FromStr for Permission {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|permission| permission.word() == text).ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|permission| permission.word()).collect();
            format!("the scopes are {}", all.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_includes_the_ones_before_it() {
        let roles = [Role::Viewer, Role::Editor, Role::Operator, Role::Admin];
        for pair in roles.windows(2) {
            assert!(pair[0].permissions().is_subset(&pair[1].permissions()));
            assert_ne!(pair[0].permissions(), pair[1].permissions());
        }
        assert_eq!(Role::Admin.permissions().len(), Permission::ALL.len());
        assert!(!Role::Viewer.may(Permission::RunsStart) && !Role::Operator.may(Permission::PeopleManage));
    }

    #[test]
    fn words_are_what_is_written() {
        for permission in Permission::ALL {
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.word());
        }
        for role in [Role::Viewer, Role::Editor, Role::Operator, Role::Admin] {
            assert_eq!(serde_json::to_value(role).unwrap(), role.word());
            assert_eq!(role.word().parse(), Ok(role));
        }
    }
}
