//! A throw-away home: AWS files, projects, and a fake AWS that knows the users and roles in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::fake_aws::{AccessKey, Device, FakeAws, RoleSpec, User, World};

pub const DEVICE: &str = "arn:aws:iam::111111111111:mfa/jane";
pub const JANE: &str = "arn:aws:iam::111111111111:user/jane";
pub const DEV_ROLE: &str = "arn:aws:iam::222222222222:role/dev";
pub const PROD_ROLE: &str = "arn:aws:iam::333333333333:role/prod";

/// `security` holds Jane's keys; `dev` and `prod` are roles in other accounts that demand MFA.
const CONFIG: &str = "\
[profile security]
region = eu-central-1
mfa_serial = arn:aws:iam::111111111111:mfa/jane

[profile dev]
role_arn = arn:aws:iam::222222222222:role/dev
source_profile = security
region = eu-west-1

[profile prod]
role_arn = arn:aws:iam::333333333333:role/prod
source_profile = security
region = us-east-1
";

pub struct Home {
    pub root: PathBuf,
    pub aws: FakeAws,
    directory: Option<tempfile::TempDir>,
}

impl Home {
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("awsenv-").tempdir().expect("a directory");
        let root = directory.path().canonicalize().expect("there");
        let home = Home { root, aws: FakeAws::start(world()), directory: Some(directory) };
        // fish makes completions out of all manual pages, in the background, unless it finds that it did.
        for name in ["run", "work", ".config", ".local/share/fish/generated_completions"] {
            std::fs::create_dir_all(home.root.join(name)).expect("made");
        }
        private(&home.root.join("run"));
        home.write(".aws/config", CONFIG);
        let key = home.aws.world().users[0].keys[0].clone();
        home.write(
            ".aws/credentials",
            &format!("[security]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret),
        );
        home
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    pub fn write(&self, relative: &str, content: &str) -> PathBuf {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().expect("below the root")).expect("made");
        std::fs::write(&path, content).expect("written");
        path
    }

    pub fn append(&self, relative: &str, content: &str) {
        let old = std::fs::read_to_string(self.path(relative)).unwrap_or_default();
        self.write(relative, &(old + content));
    }

    /// A project directory with a `.awsprofile`.
    pub fn project(&self, name: &str, content: &str) -> PathBuf {
        self.write(&format!("work/{name}/.awsprofile"), content).parent().expect("a directory").to_owned()
    }

    /// The environment of a login on this machine, and nothing of the one that runs the tests.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let text = |path: &Path| path.display().to_string();
        let search = std::env::var("PATH").unwrap_or_default();
        BTreeMap::from([
            ("HOME".into(), text(&self.root)),
            ("USER".into(), "jane".into()),
            ("PATH".into(), format!("{}:{search}", text(&self.path("bin")))),
            ("TERM".into(), "xterm-256color".into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("TZ".into(), "UTC".into()),
            ("XDG_RUNTIME_DIR".into(), text(&self.path("run"))),
            ("AWS_ENDPOINT_URL_STS".into(), self.aws.url.clone()),
            ("AWS_ENDPOINT_URL_SSO".into(), self.aws.url.clone()),
            ("AWS_ENDPOINT_URL_SSO_OIDC".into(), self.aws.url.clone()),
            ("AWS_ENDPOINT_URL_SIGNIN".into(), self.aws.url.clone()),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT".into(), self.aws.url.clone()),
        ])
    }

    /// Keeps the directory until the value that is returned goes.
    pub fn keep(mut self) -> (FakeAws, tempfile::TempDir) {
        (self.aws, self.directory.take().expect("kept once"))
    }
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).expect("changed");
}

pub fn world() -> World {
    let key = AccessKey {
        id: super::fake_aws::access_key_id("AKIA", "111111111111", 7),
        secret: "jane/secret+key/of/forty/characters/long".into(),
        active: true,
    };
    let device = Device { serial: DEVICE.into(), seed: *b"12345678901234567890", last_step: None };
    let jane = User {
        account: "111111111111".into(),
        name: "jane".into(),
        keys: vec![key],
        device: Some(device),
        may_assume: vec!["*".into()],
    };
    World {
        users: vec![jane],
        roles: vec![
            RoleSpec::new(DEV_ROLE, "arn:aws:iam::111111111111:root").requiring_mfa(),
            RoleSpec::new(PROD_ROLE, JANE).requiring_mfa().max_seconds(43_200),
        ],
        ..World::default()
    }
}
