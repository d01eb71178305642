//! Facts of the documented type tables, written down a second time: a slip in a data file shows here.

use selvedge_catalog::StepType::{DiscoverSchema, FieldSelection, Form, FullyConfigured, Oauth};
use selvedge_catalog::{Catalog, ConnectionType, PricingTier, PropertyType, StepType};

/// Steps of the types. Names without a dot lack their prefix `platform.`, except `import_api`.
const SEQUENCES: [(&[StepType], &str); 4] = [
    (
        &[Form, DiscoverSchema, FieldSelection, FullyConfigured],
        "\
            3plcentral activecampaign amazon-ads-dsp amazon-sp amplitude appfigures aurora \
            autodesk-bim-360 autopilot azure bigcommerce bronto calendly chargebee chargify circle-ci \
            closeio cloudsql cloudsql_pg clubspeed codat copper covid-19 criteo darksky dayforce db2 \
            dixa dynamodb exacttarget freshsales frontapp ga360 gemini github heap heroku_pg hp-aurora \
            hp-cloudsql hp-cloudsql-pg hp-heroku-pg hp-mariadb hp-mysql hp-postgres ilevel impact \
            insided intacct invoiced iterable jira klaviyo kustomer lever listrak liveperson looker \
            lookml mailshake mambu mariadb marketobulk mavenlink mixpanel mongodb ms-dynamics mssql \
            mysql netsuite netsuite-suite-analytics nice-incontact nikabot onfleet oracle ordway \
            pagerduty pendo pepperjam pipedrive platformpurple postgres quickbase recharge recurly \
            redshift responsys ringcentral s3-csv saasoptics sailthru satismeter sendgrid sftp shiphero \
            signonsite skubana slack sling surveymonkey swellrewards toast toggl twilio typeform typo \
            ujet uservoice workday-raas x-y yotpo youtube-analytics zoom zuora",
    ),
    (
        &[Form, Oauth, DiscoverSchema, FieldSelection, FullyConfigured],
        "\
            adroll adwords asana bing-ads campaign-monitor crossbeam deputy doubleclick-campaign-manager \
            ebay eloqua facebook google-ads google-analytics google-search-console google-sheets \
            harvest-forecast helpscout hubspot intercom jira-cloud linkedin-ads mailchimp ms-teams \
            outreach pardot pinterest-ads quickbooks salesforce shopify snapchat-ads square stripe \
            trello twitter-ads xero zendesk zendesk-chat",
    ),
    (
        &[Form, FullyConfigured],
        "\
            hp.rando import_api appsflyer braintree exchangeratesapi freshdesk fullstory gitlab marketo \
            outbrain referral-saasquatch revinate selligent shippo taboola urban-airship wootric \
            webhook.aftership webhook.branch webhook.contentful webhook.customerio webhook.drip \
            webhook.formkeep webhook.incoming-webhook webhook.iterable webhook.mailjet \
            webhook.particleio webhook.sendgrid webhook.sendwithus webhook.sparkpost webhook.vero \
            webhook.zapier",
    ),
    (
        &[Form, Oauth, FullyConfigured],
        "\
            harvest webhook.segment",
    ),
];

const INTERVALS: [(Option<u32>, &str); 4] = [
    (
        Some(30),
        "\
            appsflyer aurora azure braintree closeio cloudsql doubleclick-campaign-manager facebook \
            freshdesk fullstory gitlab harvest hubspot mariadb marketo mongodb mssql mysql outbrain \
            pipedrive referral-saasquatch selligent shippo stripe taboola urban-airship wootric \
            zendesk-chat zuora",
    ),
    (
        Some(720),
        "\
            covid-19 marketobulk",
    ),
    (
        Some(1440),
        "\
            adwords bing-ads",
    ),
    (
        None,
        "\
            webhook.segment",
    ),
];

const START_DATES: [(Option<&str>, &str); 3] = [
    (
        None,
        "\
            amplitude aurora cloudsql cloudsql_pg db2 heroku_pg hp-aurora hp-cloudsql hp-cloudsql-pg \
            hp-heroku-pg hp-mariadb hp-mysql hp-postgres mariadb mysql oracle postgres webhook.segment",
    ),
    (
        Some("-30 days"),
        "\
            hubspot",
    ),
    (
        Some("-60 days"),
        "\
            appsflyer",
    ),
];

const PROTOCOLS: [(&str, &str); 10] = [
    (
        "incoming-webhook",
        "\
            webhook.aftership webhook.branch webhook.contentful webhook.customerio webhook.drip \
            webhook.formkeep webhook.incoming-webhook webhook.iterable webhook.mailjet \
            webhook.particleio webhook.sendwithus webhook.sparkpost webhook.vero webhook.zapier",
    ),
    (
        "platform.hp-mysql",
        "\
            hp-aurora hp-cloudsql hp-mariadb",
    ),
    (
        "platform.hp-postgres",
        "\
            hp-cloudsql-pg hp-heroku-pg",
    ),
    (
        "platform.jira",
        "\
            jira-cloud",
    ),
    (
        "platform.marketo",
        "\
            marketobulk",
    ),
    (
        "platform.mssql",
        "\
            azure",
    ),
    (
        "platform.mysql",
        "\
            aurora cloudsql mariadb",
    ),
    (
        "platform.postgres",
        "\
            cloudsql_pg heroku_pg",
    ),
    (
        "segment_webhooks",
        "\
            webhook.segment",
    ),
    (
        "sendgrid",
        "\
            webhook.sendgrid",
    ),
];

/// Properties of the `oauth` steps. A property is required, a credential and the system's by default, unless marked:
/// `u` the user's, `?` optional, `v` visible, `m` replaced by the extractor.
const OAUTH: [(&str, &str); 39] = [
    (
        "platform.adroll",
        "access_token:m client_id client_secret refresh_token:m",
    ),
    (
        "platform.adwords",
        "customer_ids:uv developer_token oauth_client_id oauth_client_secret refresh_token user_id:v",
    ),
    (
        "platform.asana",
        "access_token:? client_id:v client_secret redirect_uri:v refresh_token",
    ),
    (
        "platform.bing-ads",
        "account_ids:uv customer_id:uv developer_token oauth_client_id oauth_client_secret refresh_token user_id:?v",
    ),
    ("platform.campaign-monitor", "access_token refresh_token"),
    (
        "platform.crossbeam",
        "client_id:v client_secret refresh_token",
    ),
    (
        "platform.deputy",
        "client_id:v client_secret domain:v redirect_uri:v refresh_token:m",
    ),
    (
        "platform.doubleclick-campaign-manager",
        "client_id client_secret refresh_token user_id:?v",
    ),
    (
        "platform.ebay",
        "client_id client_secret refresh_token scope",
    ),
    (
        "platform.eloqua",
        "client_id:v client_secret redirect_uri:v refresh_token:m",
    ),
    ("platform.facebook", "access_token account_id:uv"),
    (
        "platform.google-ads",
        "customer_ids:uv developer_token login_customer_ids:uv oauth_client_id:v oauth_client_secret refresh_token user_id:v",
    ),
    (
        "platform.google-analytics",
        "client_id client_secret refresh_token user_id:?v view_id:uv",
    ),
    (
        "platform.google-search-console",
        "client_id:u client_secret:u refresh_token:u user_id:?v",
    ),
    (
        "platform.google-sheets",
        "client_id client_secret refresh_token user_id:?v",
    ),
    ("platform.harvest", "client_id client_secret refresh_token"),
    (
        "platform.harvest-forecast",
        "client_id client_secret refresh_token",
    ),
    (
        "platform.helpscout",
        "client_id:u client_secret:u refresh_token:um",
    ),
    (
        "platform.hubspot",
        "client_id client_secret redirect_uri refresh_token",
    ),
    ("platform.intercom", "access_token"),
    (
        "platform.jira-cloud",
        "access_token cloud_id:uv oauth_client_id oauth_client_secret refresh_token",
    ),
    ("platform.linkedin-ads", "access_token:u"),
    (
        "platform.mailchimp",
        "access_token client_id:v client_secret",
    ),
    ("platform.ms-teams", "client_id:v client_secret tenant_id:v"),
    (
        "platform.outreach",
        "client_id:v client_secret redirect_uri:v refresh_token",
    ),
    (
        "platform.pardot",
        "client_id:? client_secret:? refresh_token:?",
    ),
    ("platform.pinterest-ads", "access_token:u"),
    (
        "platform.quickbooks",
        "client_id client_secret realm_id refresh_token:m",
    ),
    (
        "platform.salesforce",
        "client_id client_secret instance_url:v orgid:?v refresh_token",
    ),
    ("platform.shopify", "api_key"),
    (
        "platform.snapchat-ads",
        "client_id client_secret refresh_token",
    ),
    ("platform.square", "client_id client_secret refresh_token"),
    ("platform.stripe", "account_id:v client_secret"),
    (
        "platform.trello",
        "access_token access_token_secret consumer_key consumer_secret",
    ),
    (
        "platform.twitter-ads",
        "access_token:u access_token_secret:u consumer_key:u consumer_secret:u",
    ),
    (
        "platform.xero",
        "access_token:?m client_id client_secret consumer_key:? consumer_secret:? oauth_session_handle:? oauth_token:? oauth_token_secret:? organization_name:?v refresh_token:m rsa_key:? tenant_id:uv xero_user_id:v",
    ),
    (
        "platform.zendesk",
        "access_token client_id client_secret marketplace_app_id:v marketplace_name:v marketplace_organization_id:v",
    ),
    ("platform.zendesk-chat", "access_token"),
    (
        "webhook.segment",
        "scope:v source_names:v workspace_names:v",
    ),
];

/// Types of this server's catalogue that the tables do not have.
const NEWER: [&str; 3] = ["platform.ga4", "platform.sqlite", "platform.tiktok-ads"];

fn names(list: &str) -> impl Iterator<Item = String> {
    list.split_whitespace().map(|name| {
        if name.contains('.') || name == "import_api" {
            name.to_owned()
        } else {
            format!("platform.{name}")
        }
    })
}

fn source(name: &str) -> &'static ConnectionType {
    Catalog::global()
        .source_type(name)
        .unwrap_or_else(|| panic!("{name} is missing"))
}

/// Every documented type with what `table` says of it, or what holds for the rest.
fn exceptions<T: Copy>(table: &[(T, &str)], rule: impl Fn(&str) -> T) -> Vec<(String, T)> {
    let of = |name: &str| {
        let listed = table
            .iter()
            .find(|(_, list)| names(list).any(|listed| listed == name));
        listed.map_or_else(|| rule(name), |(value, _)| *value)
    };
    SEQUENCES
        .iter()
        .flat_map(|(_, list)| names(list))
        .map(|name| {
            let value = of(&name);
            (name, value)
        })
        .collect()
}

#[test]
fn the_documented_types_have_the_documented_steps() {
    let mut documented = 0;
    for (sequence, list) in SEQUENCES {
        for name in names(list) {
            let steps: Vec<_> = source(&name)
                .steps()
                .iter()
                .map(|step| step.step_type())
                .collect();
            assert_eq!(steps, sequence, "{name}");
            documented += 1;
        }
    }
    let offered = Catalog::global()
        .source_types()
        .filter(|source| !source.is_stub());
    assert_eq!(offered.count(), documented + NEWER.len());
    assert!(NEWER.iter().all(|name| !source(name).is_stub()));
}

#[test]
fn intervals_and_start_dates_are_the_documented_ones() {
    for (name, interval) in exceptions(&INTERVALS, |_| Some(60)) {
        assert_eq!(
            source(&name).details().default_scheduling_interval,
            interval,
            "{name}"
        );
    }
    for (name, start_date) in exceptions(&START_DATES, |_| Some("-1 year")) {
        assert_eq!(
            source(&name).details().default_start_date.as_deref(),
            start_date,
            "{name}"
        );
    }
}

#[test]
fn only_aliases_have_a_protocol_of_another_name() {
    for (name, protocol) in exceptions(&PROTOCOLS, |_| "") {
        let expected = if protocol.is_empty() {
            name.as_str()
        } else {
            protocol
        };
        assert_eq!(source(&name).protocol(), expected, "{name}");
    }
}

#[test]
fn three_types_are_for_the_enterprise() {
    let enterprise: Vec<_> = Catalog::global()
        .source_types()
        .filter(|source| source.details().pricing_tier == PricingTier::Enterprise)
        .map(ConnectionType::name)
        .collect();
    assert_eq!(
        enterprise,
        ["platform.ga360", "platform.oracle", "platform.workday-raas"]
    );
}

#[test]
fn oauth_steps_ask_for_the_documented_properties() {
    for (name, list) in OAUTH {
        let step = source(name)
            .steps()
            .iter()
            .find(|step| step.step_type() == Oauth)
            .unwrap();
        let mut documented = Vec::new();
        for word in list.split_whitespace() {
            let (property_name, marks) = word.split_once(':').unwrap_or((word, ""));
            documented.push(property_name);
            let property = step
                .properties()
                .iter()
                .find(|property| property.name() == property_name)
                .unwrap_or_else(|| panic!("{name} lacks {property_name}"));
            let property_type = if marks.contains('u') {
                PropertyType::UserProvided
            } else {
                PropertyType::SystemProvidedByDefault
            };
            assert_eq!(
                property.property_type(),
                property_type,
                "{name}.{property_name}"
            );
            assert_eq!(
                property.is_required(),
                !marks.contains('?'),
                "{name}.{property_name}"
            );
            assert_eq!(
                property.is_credential(),
                !marks.contains('v'),
                "{name}.{property_name}"
            );
            assert_eq!(
                property.is_tap_mutable(),
                marks.contains('m'),
                "{name}.{property_name}"
            );
        }
        // What the references add is never demanded.
        for property in step.properties() {
            assert!(
                documented.contains(&property.name()) || !property.is_required(),
                "{name}.{}",
                property.name()
            );
        }
    }
}

#[test]
fn every_type_with_an_oauth_step_is_in_the_table() {
    for source in Catalog::global()
        .source_types()
        .filter(|source| source.has_step(Oauth))
    {
        assert!(
            OAUTH.iter().any(|(name, _)| *name == source.name()) || NEWER.contains(&source.name()),
            "{}",
            source.name()
        );
    }
    let destinations: Vec<_> = Catalog::global()
        .destination_types()
        .filter(|destination| destination.has_step(Oauth))
        .map(ConnectionType::name)
        .collect();
    assert_eq!(destinations, ["bigquery", "dataworld"]);
}

#[test]
fn every_scheduled_type_has_the_same_common_properties() {
    let schemas = [
        ("anchor_time", r#"{"type":"string","format":"date-time"}"#),
        ("cron_expression", "null"),
        (
            "frequency_in_minutes",
            r#"{"type":"string","pattern":"^1$|^30$|^60$|^360$|^720$|^1440$"}"#,
        ),
        ("image_version", "null"),
    ];
    for source in Catalog::global()
        .source_types()
        .filter(|source| source.is_scheduled())
    {
        for (name, schema) in schemas {
            let property = source.property(name).unwrap();
            assert_eq!(
                serde_json::to_string(&property.json_schema()).unwrap(),
                schema,
                "{} {name}",
                source.name()
            );
            let is_system = name == "image_version";
            assert_eq!(
                property.is_required(),
                is_system,
                "{} {name}",
                source.name()
            );
            let property_type = if is_system {
                PropertyType::ReadOnly
            } else {
                PropertyType::UserProvided
            };
            assert_eq!(
                property.property_type(),
                property_type,
                "{} {name}",
                source.name()
            );
        }
        if let Some(start_date) = source
            .property("start_date")
            .and_then(|property| property.json_schema())
        {
            assert_eq!(
                start_date.to_string(),
                r#"{"type":"string","pattern":"^\\d{4}-\\d{2}-\\d{2}T00:00:00Z$"}"#
            );
        }
    }
}
