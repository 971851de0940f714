use palisade_api::{Auth, Settings};
use palisade_store::sqlite::SqliteStore;

use super::*;
use crate::system::{SystemClock, SystemEntropy};

fn app() -> Arc<App> {
    let store = Arc::new(SqliteStore::in_memory([7; 32]).unwrap());
    let settings = Settings::new(Auth::Open, "unused".into());
    App::new(store, Arc::new(SystemClock), Arc::new(SystemEntropy), settings)
}

fn unwell(app: &App) -> Vec<&'static str> {
    app.health.unwell().into_iter().map(|one| one.part).collect()
}

#[test]
fn a_task_that_ends_or_panics_is_named_and_one_that_was_to_stop_is_not() {
    let runtime = crate::serve::runtime().unwrap();
    for (stops, panics, is_named) in
        [(false, false, true), (false, true, true), (true, false, false), (true, true, false)]
    {
        let app = app();
        let (stop, stopped) = watch::channel(stops);
        let task = async move {
            tokio::task::yield_now().await;
            assert!(!panics, "on purpose");
        };
        let ended = runtime.block_on(async { watched(&app, "task", stopped, task).await });
        assert_eq!(ended.is_err(), panics);
        assert_eq!(unwell(&app) == ["task"], is_named, "{stops} {panics}");
        drop(stop);
    }
}

#[test]
fn a_worker_that_stands_still_is_told_and_one_that_moves_is_not() {
    let app = app();
    let mut looking = Looking::new(app.clone(), true, Beside::default());
    assert_eq!(looking.judging(), None);
    let long_ago = Instant::now().checked_sub(STILL + LOOK).unwrap();
    looking.stepped = long_ago;
    assert!(looking.judging().unwrap().contains("neither looked for work"));
    app.metrics.stepped();
    assert_eq!(looking.judging(), None);
}

#[test]
fn a_watch_looks_until_it_is_dropped_and_a_look_that_does_not_end_is_told() {
    let app = app();
    let watch = Watch::start(app.clone(), true, Beside::default()).unwrap();
    app.health.note("files", Some("before".to_owned()));
    let begun = Instant::now();
    while !unwell(&app).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", app.health.unwell());
        thread::sleep(Duration::from_millis(5));
    }
    drop(watch);
    while Arc::strong_count(&app) > 1 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the thread goes with it");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_error_is_told_with_its_causes_once() {
    let error = palisade_store::StoreError::Engine("the disk is gone".into());
    let told = causes(&error);
    assert_eq!(told.matches("the disk is gone").count(), 1, "{told}");
}

#[test]
fn the_room_on_a_disk_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let app = app();
    let disks = vec![("store", folder.path().to_owned()), ("spool", folder.path().join("none"))];
    let looking = Looking::new(app.clone(), true, Beside { disks, tls: None });
    looking.measure();
    if let Some(room) = Room::at(folder.path()) {
        assert!(room.bytes >= room.free_bytes && room.bytes > 0, "{room:?}");
        assert_eq!(Room::at(&folder.path().join("none")), None, "not told is not none");
    }
}

#[test]
fn what_the_process_uses_is_measured() {
    let Some(used) = system::process(7) else { return };
    assert_eq!(used.begun_secs, 7);
    assert!(used.resident_bytes > 1024 * 1024 && used.threads > 0, "{used:?}");
    assert!(used.open_files > 2 && used.cpu_secs >= 0.0, "{used:?}");
    let held: Vec<_> = (0..5).map(|_| std::fs::File::open("/proc/self/stat").unwrap()).collect();
    assert!(system::process(7).unwrap().open_files >= 5 + 2, "{held:?}");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(50) {}
    assert!(system::process(7).unwrap().cpu_secs > used.cpu_secs, "{used:?}");
}
