//! A partner creates an account for somebody and gets its first access token.

use selvedge_store::{StoreError, accounts, partners, tokens};
use selvedge_types::{AccountId, AccountScope, Secret};
use serde_json::{Map, Value};

use crate::text::{fits, is_email};
use crate::{Control, ControlError, FormProblem};

/// Longest name and company, in characters.
const MAX_TEXT: usize = 255;

/// Where accounts may live. The list is the contract's; the data stays where this server is.
const REGIONS: [&str; 2] = ["us-east-1", "eu-central-1"];

/// The form as it was sent.
#[derive(Debug)]
pub struct NewAccount<'a> {
    body: &'a Map<String, Value>,
}

/// What the partner gets; the token is shown this once.
#[derive(Debug)]
pub struct CreatedAccount {
    pub account: AccountId,
    pub access_token: Secret,
}

impl<'a> NewAccount<'a> {
    /// Takes the body, `None` when it is no JSON object.
    pub fn from_body(body: Option<&'a Map<String, Value>>) -> Result<Self, ControlError> {
        body.map(|body| Self { body })
            .ok_or_else(|| ControlError::InvalidForm(Vec::new()))
    }

    fn text(&self, field: &'static str, problems: &mut Problems) -> String {
        let problem = match self.body.get(field) {
            None | Some(Value::Null) => FormProblem::Required,
            Some(Value::String(text)) if text.trim().is_empty() => FormProblem::Required,
            Some(Value::String(text)) if fits(text, MAX_TEXT) => return text.clone(),
            Some(_) => FormProblem::Invalid,
        };
        problems.push((field, problem));
        String::new()
    }
}

type Problems = Vec<(&'static str, FormProblem)>;

/// The partner whose credentials the body carries; `None` when they are missing or wrong.
pub async fn partner_of(
    control: &Control,
    body: Option<&Map<String, Value>>,
) -> Result<Option<String>, ControlError> {
    let text = |field| {
        let text = body?.get(field)?.as_str()?;
        fits(text, MAX_TEXT).then_some(text)
    };
    let (Some(id), Some(secret)) = (text("partner_id"), text("partner_secret")) else {
        return Ok(None);
    };
    let mut tx = control.store().read().await?;
    let partner = partners::authenticate(&mut tx, id, secret).await?;
    Ok(partner.map(|partner| partner.id))
}

/// Creates the account, owned by the person the form names. Nothing is created unless every field is right, and only
/// callers with valid partner credentials learn whether an email address is in use.
pub async fn create(
    control: &Control,
    form: NewAccount<'_>,
) -> Result<CreatedAccount, ControlError> {
    let mut problems = Problems::new();
    let partner_id = form.text("partner_id", &mut problems);
    let partner_secret = Secret::new(form.text("partner_secret", &mut problems));
    let first_name = form.text("first_name", &mut problems);
    let last_name = form.text("last_name", &mut problems);
    let company = form.text("company", &mut problems);
    let email = form.text("email", &mut problems);
    if !email.is_empty() && !is_email(&email) {
        problems.push(("email", FormProblem::Invalid));
    }
    let region = match (form.body.get("region"), &control.settings().default_region) {
        (None | Some(Value::Null), Some(default)) => default.clone(),
        _ => form.text("region", &mut problems),
    };
    let known = |region: &str| {
        REGIONS.contains(&region) || control.settings().default_region.as_deref() == Some(region)
    };
    if !region.is_empty() && !known(&region) {
        problems.push(("region", FormProblem::Invalid));
    }

    let mut tx = control.store().begin().await?;
    if !partner_id.is_empty() && !partner_secret.expose().is_empty() {
        let partner = partners::find(&mut tx, &partner_id).await?;
        let secret = partner_secret.expose();
        if partner.is_none_or(|partner| partner.disabled_at.is_some()) {
            problems.insert(0, ("partner_id", FormProblem::Required));
        } else if partners::authenticate(&mut tx, &partner_id, secret)
            .await?
            .is_none()
        {
            problems.insert(0, ("partner_secret", FormProblem::Required));
        }
    }
    if !problems.is_empty() {
        return Err(ControlError::InvalidForm(problems));
    }
    if accounts::email_taken(&mut tx, &email).await? {
        return Err(ControlError::ExistingUser);
    }
    let new = accounts::NewAccount {
        company,
        region,
        first_name,
        last_name,
        email,
        partner_id: Some(partner_id.clone()),
        plan: control.settings().plans.default_plan().map(str::to_owned),
    };
    let account = match accounts::create(&mut tx, &new, control.now()).await {
        // Somebody else was quicker.
        Err(StoreError::Conflict(_)) => return Err(ControlError::ExistingUser),
        account => account?,
    };
    let scope = AccountScope::of(account);
    let (_, access_token) = tokens::mint(&mut tx, scope, Some(&partner_id), control.now()).await?;
    tx.commit().await?;
    tracing::info!(account.id = account.0, partner.id = %partner_id, "account created");
    Ok(CreatedAccount {
        account,
        access_token,
    })
}
