//! What plans say, as the operator has written it down.

use std::collections::BTreeMap;

use selvedge_catalog::{ConnectionType, PricingTier};

/// What an account may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Features {
    /// Whether its access tokens are accepted.
    pub api_access: bool,
    /// Live destinations; `None` for the number that holds for everybody.
    pub max_destinations: Option<u64>,
    /// Whether sources may have a `cron_expression`.
    pub cron_scheduling: bool,
    /// Whether custom e-mails may be added.
    pub custom_emails: bool,
    /// Whether hooks may be added.
    pub hooks: bool,
    /// Whether connections of the tier `enterprise` may be created.
    pub enterprise_types: bool,
    /// Days after a job's end that its log can be read; `None` for as long as logs are kept.
    pub log_retention_days: Option<u32>,
}

impl Default for Features {
    /// Everything.
    fn default() -> Self {
        Self {
            api_access: true,
            max_destinations: None,
            cron_scheduling: true,
            custom_emails: true,
            hooks: true,
            enterprise_types: true,
            log_retention_days: None,
        }
    }
}

impl Features {
    /// The part that decides which types can be connected.
    pub fn type_access(&self) -> TypeAccess {
        TypeAccess {
            enterprise_types: self.enterprise_types,
        }
    }

    /// Whether connections of this type may be created.
    pub fn cover(&self, connection_type: &ConnectionType) -> bool {
        self.type_access().covers(connection_type)
    }
}

/// Which types an account may connect. Whatever else its plan says, accounts with the same access see the same report cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeAccess {
    enterprise_types: bool,
}

impl TypeAccess {
    /// Whether connections of this type may be created: `details.access` of its report card.
    pub fn covers(self, connection_type: &ConnectionType) -> bool {
        let tier = match connection_type.details().pricing_tier {
            PricingTier::Standard => true,
            PricingTier::Enterprise => self.enterprise_types,
        };
        tier && connection_type.has_access()
    }
}

/// The operator's plans by name.
#[derive(Clone, Debug, Default)]
pub struct Plans {
    by_name: BTreeMap<String, Features>,
    default: Option<String>,
    /// For accounts that are on no plan.
    unlimited: Features,
}

/// A plan that the configuration does not define.
#[derive(Debug, thiserror::Error)]
#[error("there is no plan {0:?} in the configuration")]
pub struct UnknownPlan(pub String);

impl Plans {
    /// `default` is the plan of new accounts; `None` puts them on none.
    pub fn new(
        by_name: BTreeMap<String, Features>,
        default: Option<String>,
    ) -> Result<Self, UnknownPlan> {
        match default {
            Some(name) if !by_name.contains_key(&name) => Err(UnknownPlan(name)),
            default => Ok(Self {
                by_name,
                default,
                unlimited: Features::default(),
            }),
        }
    }

    /// What accounts on the plan may do, or accounts on none.
    pub fn features(&self, plan: Option<&str>) -> Result<&Features, UnknownPlan> {
        match plan {
            None => Ok(&self.unlimited),
            Some(name) => self
                .by_name
                .get(name)
                .ok_or_else(|| UnknownPlan(name.to_owned())),
        }
    }

    /// The plan of new accounts.
    pub fn default_plan(&self) -> Option<&str> {
        self.default.as_deref()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use selvedge_catalog::Catalog;

    use super::*;

    #[test]
    fn without_a_plan_everything_is_on() {
        let plans = Plans::default();
        assert_eq!(plans.features(None).unwrap(), &Features::default());
        assert_eq!(plans.default_plan(), None);
    }

    #[test]
    fn plans_are_found_by_name_and_unknown_ones_named() {
        let basic = Features {
            hooks: false,
            ..Features::default()
        };
        let by_name = BTreeMap::from([("basic".to_owned(), basic.clone())]);
        let plans = Plans::new(by_name.clone(), Some("basic".to_owned())).unwrap();
        assert_eq!(plans.default_plan(), Some("basic"));
        assert_eq!(plans.features(Some("basic")).unwrap(), &basic);
        let unknown = plans.features(Some("large")).unwrap_err();
        assert!(unknown.to_string().contains("large"));
        assert!(Plans::new(by_name, Some("large".to_owned())).is_err());
    }

    #[test]
    fn enterprise_types_need_their_feature_and_nothing_else_does() {
        let catalog = Catalog::global();
        let all = Features::default();
        let limited = Features {
            enterprise_types: false,
            ..Features::default()
        };
        let source = |name| catalog.source_type(name).unwrap();
        for (name, by_all, by_limited) in [
            ("platform.oracle", true, false),
            ("platform.ga360", true, false),
            ("platform.postgres", true, true),
            // In development: for nobody.
            ("platform.toast", false, false),
        ] {
            assert_eq!(all.cover(source(name)), by_all, "{name}");
            assert_eq!(limited.cover(source(name)), by_limited, "{name}");
        }
        let storagegrid = catalog.destination_type("storagegrid").unwrap();
        assert!(!all.cover(storagegrid));
    }
}
