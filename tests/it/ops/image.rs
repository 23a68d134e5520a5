//! The rules of a sound Dockerfile, as hadolint has them.

use super::{assert_pinned, exists, file};

/// The instructions, with continued lines put together and comments left out.
fn instructions() -> Vec<(String, String)> {
    let text = file(".docker/Dockerfile");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let text = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let split = |line: &str| {
        let (word, rest) = line.split_once(' ').expect("an instruction with arguments");
        (word.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(split).collect()
}

/// Those of the stage that becomes the image.
fn last_stage() -> Vec<(String, String)> {
    let all = instructions();
    let from = all.iter().rposition(|(word, _)| word == "FROM").expect("a base");
    all[from..].to_vec()
}

fn arguments<'i>(all: &'i [(String, String)], word: &str) -> Vec<&'i str> {
    all.iter().filter(|(found, _)| found == word).map(|(_, rest)| rest.as_str()).collect()
}

#[test]
fn bases_are_pinned_and_the_image_is_small_and_unprivileged() {
    let all = instructions();
    let known = [
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "USER",
        "ENV",
        "EXPOSE",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    ];
    for (word, rest) in &all {
        assert!(known.contains(&word.as_str()), "{word} {rest}");
    }
    let bases = arguments(&all, "FROM");
    assert!(bases.len() > 1, "what builds is not what runs");
    for base in &bases {
        assert_pinned(base.split(' ').next().unwrap_or_default());
    }
    assert!(bases.last().is_some_and(|base| base.contains("-slim")));
    assert!(arguments(&all, "WORKDIR").iter().all(|path| path.starts_with('/')));

    let last = last_stage();
    let at = |word: &str| last.iter().position(|(found, _)| found == word).expect("an instruction");
    let [user] = arguments(&last, "USER")[..] else { panic!("one user") };
    assert!(user.parse::<u32>().is_ok_and(|id| id >= 1000), "{user}: a number that is not root's");
    assert!(at("USER") < at("ENTRYPOINT") && at("USER") < at("HEALTHCHECK"));
    assert!(last[at("USER")..].iter().all(|(word, _)| word != "RUN" && word != "COPY"));
    for word in ["ENTRYPOINT", "CMD"] {
        let [json] = arguments(&last, word)[..] else { panic!("one {word}") };
        serde_json::from_str::<Vec<String>>(json).expect("the form without a shell");
    }
    let [health] = arguments(&last, "HEALTHCHECK")[..] else { panic!("one check") };
    let (_, command) = health.split_once("CMD ").expect("a command");
    let command: Vec<String> = serde_json::from_str(command).expect("the form without a shell");
    assert!(command.iter().any(|part| part.contains("/health")), "{command:?}");
    let secrets = ["SECRET", "PASSWORD", "_KEY"];
    let environment = arguments(&all, "ENV");
    assert!(!environment.iter().any(|set| secrets.iter().any(|word| set.contains(word))));
}

#[test]
fn packages_leave_nothing_behind_and_are_built_from_the_lock_files() {
    let all = instructions();
    for run in arguments(&all, "RUN") {
        assert!(!run.contains("sudo ") && !run.contains("apt "), "{run}");
        if run.contains("apt-get install") {
            assert!(run.contains("apt-get update &&"), "{run}");
            assert!(run.contains("install -y --no-install-recommends"), "{run}");
            assert!(run.contains("rm -rf /var/lib/apt/lists/*"), "{run}");
        }
        for build in run.split("&&").filter(|part| part.contains("cargo build")) {
            assert!(build.contains("--locked"), "{build}");
        }
        assert!(!run.contains("npm install"), "`npm ci` keeps to the lock file: {run}");
    }
    // The lock files come before the sources, so that a change of these builds no dependency.
    let at = |what: &str| {
        let found = all.iter().position(|(word, rest)| word == "COPY" && rest.contains(what));
        found.unwrap_or_else(|| panic!("{what} is not copied"))
    };
    let first_build = all.iter().position(|(_, rest)| rest.contains("cargo build")).expect("one");
    assert!(at("Cargo.lock") < first_build && first_build < at("src src"));
    assert!(at("package-lock") < at("frontend* "));
}

#[test]
fn what_is_copied_is_there_and_not_ignored() {
    let ignored = file(".dockerignore");
    let allowed: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    for path in &allowed {
        assert!(exists(path) || *path == "frontend", "{path} is not there");
    }
    let all = instructions();
    for copy in arguments(&all, "COPY").iter().filter(|copy| !copy.starts_with("--from=")) {
        let paths: Vec<&str> = copy.split(' ').collect();
        let (_, sources) = paths.split_last().expect("a target");
        assert!(!sources.is_empty(), "{copy}");
        for source in sources {
            let top = source.split('/').next().unwrap_or_default().trim_end_matches('*');
            assert!(allowed.contains(&top), "{source} is not sent to the builder");
            assert!(source.contains(['*', '[']) || exists(source), "{source} is not there");
        }
    }
    // Whatever the build needs of the top level, the other packages and the migrations.
    for needed in ["Cargo.toml", "Cargo.lock", "src", "domain", "projections", "migrations"] {
        assert!(allowed.contains(&needed), "{needed}");
    }
}
