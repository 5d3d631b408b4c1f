//! A strict fake of AWS on loopback: it checks signatures, clocks, one-time codes, trust policies and permissions as
//! AWS does, and answers in AWS's words: STS, IAM Identity Center, the sign-in service and the console, and the metadata of instances and containers. For tests
//! and the playground.

mod answer;
mod console;
mod identity_center;
mod machine;
mod server;
mod signin;
mod sigv4;
mod sts;
mod world;

use std::sync::{Arc, Mutex, MutexGuard};

pub use identity_center::START_URL;
pub use signin::SignInSession;
pub use world::{AccessKey, Device, Fault, RoleSpec, User, World, access_key_id};

/// A running fake. It ends with this value.
pub struct FakeAws {
    pub url: String,
    world: Arc<Mutex<World>>,
    _server: server::Server,
}

impl FakeAws {
    pub fn start(world: World) -> Self {
        let world = Arc::new(Mutex::new(world));
        let server = server::Server::start(Arc::clone(&world));
        FakeAws { url: format!("http://127.0.0.1:{}", server.port), world, _server: server }
    }

    /// The state, to look at or to change while it runs.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no request panicked")
    }

    /// The actions that were called, in order.
    pub fn actions(&self) -> Vec<String> {
        self.world().log.iter().map(|request| request.action.clone()).collect()
    }

    /// A code of the device that AWS has not taken yet, waiting for the next one if it must.
    pub fn fresh_code(&self, serial: &str) -> String {
        loop {
            {
                let world = self.world();
                let device = world.device(serial).expect("a device of this fake");
                let now = world::system_seconds();
                if device.last_step != Some(now / 30) {
                    return device.code_at(now);
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    }

    /// Lets the device's last code be used again, as if time had passed.
    pub fn forget_codes(&self, serial: &str) {
        if let Some(device) = self.world().device_mut(serial) {
            device.last_step = None;
        }
    }
}
