//! Renewal in the background where things go wrong: no storm, and the next prompt is right.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::support::fake_aws::Fault;
use crate::support::home::Home;

/// A directory whose role's session is in the last third of its life.
fn soon() -> (Home, PathBuf, BTreeMap<String, String>) {
    let home = Home::new();
    let project = home.project("dev", "dev\n");
    home.run(&project, &["allow"]).succeeds();
    home.login("security").succeeds();
    home.aws.world().session_seconds = Some(24);
    let (loaded, _) = home.export(&project, &home.environment());
    home.aws.world().session_seconds = None;
    std::thread::sleep(Duration::from_secs(17));
    (home, project, loaded)
}

fn wait_for_calls(home: &Home, count: usize) {
    for _ in 0..100 {
        if home.aws.actions().len() >= count {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(500));
}

#[test]
fn while_aws_cannot_be_reached_ten_shells_are_one() {
    let (home, project, loaded) = soon();
    let before = home.aws.actions().len();
    home.aws.world().faults.extend([Fault::Reset; 60]);
    for _ in 0..10 {
        let (after, run) = home.export(&project, &loaded);
        assert_eq!(after["AWS_ACCESS_KEY_ID"], loaded["AWS_ACCESS_KEY_ID"], "{}", run.stderr);
    }
    wait_for_calls(&home, before + 3);
    let tries = home.aws.actions().len() - before;
    assert!((1..=3).contains(&tries), "one attempt, with the SDK's repetitions: {tries}");
    // The machine slept over the end of the session, and the network is back: the next prompt is right.
    home.aws.world().faults.clear();
    std::thread::sleep(Duration::from_secs(8));
    let (after, run) = home.export(&project, &loaded);
    assert_ne!(after["AWS_ACCESS_KEY_ID"], loaded["AWS_ACCESS_KEY_ID"], "{}", run.stderr);
}

#[test]
fn a_clock_that_was_set_back_ends_no_attempts() {
    let (home, project, loaded) = soon();
    let stamps = home.path(".cache/awsenv/renewals");
    std::fs::create_dir_all(&stamps).expect("made");
    let before = home.aws.actions().len();
    home.export(&project, &loaded);
    wait_for_calls(&home, before + 1);
    assert_eq!(home.aws.actions().len(), before + 1, "renewed");
    let stamp = stamps.read_dir().expect("there").flatten().next().expect("one").path();
    let future = SystemTime::now() + Duration::from_secs(86_400);
    std::fs::File::options().write(true).open(stamp).and_then(|file| file.set_modified(future)).expect("set");
    home.aws.world().session_seconds = Some(12);
    home.run(&home.root, &["logout", "--all"]).succeeds();
    home.aws.forget_codes(crate::support::home::DEVICE);
    std::fs::remove_dir_all(home.path(".cache/awsenv/codes")).expect("there");
    home.aws.world().session_seconds = None;
    home.login("security").succeeds();
    home.aws.world().session_seconds = Some(12);
    let (loaded, _) = home.export(&project, &home.environment());
    std::thread::sleep(Duration::from_secs(9));
    let before = home.aws.actions().len();
    home.export(&project, &loaded);
    wait_for_calls(&home, before + 1);
    assert_eq!(home.aws.actions().len(), before + 1);
}

#[test]
fn a_short_session_is_not_renewed_all_the_time() {
    let home = Home::new();
    let project = home.project("dev", "profile = dev\nduration = 15m\n");
    home.run(&project, &["allow"]).succeeds();
    home.login("security").succeeds();
    let (mut environment, _) = home.export(&project, &home.environment());
    let before = home.aws.actions().len();
    for _ in 0..5 {
        environment = home.export(&project, &environment).0;
    }
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(home.aws.actions().len(), before, "fifteen minutes are not \"soon\" for a session of fifteen minutes");
}
