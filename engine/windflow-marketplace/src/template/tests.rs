use super::*;

const SHOP: &str = "services:\n  web:\n    image: nginx:1.29.3\n    ports: [\"${WEB_PORT}:80\"]\n    depends_on: [db]\n    healthcheck: { test: [CMD, \"true\"] }\n  \
    db:\n    image: postgres:18.1\n    volumes: [data:/var/lib/postgresql]\n    healthcheck: { test: [CMD, pg_isready] }\nvolumes: { data: {} }\n\
    x-windflow:\n  variables:\n    WEB_PORT: { type: port, default: 8080, description: { en: Port, fr: Port } }\n";

const MANIFEST: &str = "template: 1\nname: shop\nkind: stack\nversion: 1.2.0\ntitle: { en: Shop, fr: Boutique }\nsummary: { en: A shop, fr: Une boutique }\ncategory: web\n";

const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 0h9\"/></svg>";

pub(crate) fn shop() -> Files {
    [
        ("template.yaml", MANIFEST),
        ("compose.yaml", SHOP),
        ("README.md", "# Shop\n"),
        ("README.fr.md", "# Boutique\n"),
        ("CHANGELOG.md", "# Changes\n\n## 1.2.0\n\nFirst.\n"),
        ("icon.svg", ICON),
    ]
    .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
    .into()
}

fn with(file: &str, from: &str, to: &str) -> Files {
    let mut files = shop();
    let text = String::from_utf8(files[file].clone()).unwrap();
    assert!(text.contains(from), "{from:?} is not in {file}");
    files.insert(file.to_owned(), text.replace(from, to).into_bytes());
    files
}

fn codes(files: &Files) -> Vec<(String, &'static str)> {
    read(files).1.into_iter().map(|fault| (fault.file, fault.problem.code)).collect()
}

#[test]
fn a_good_template_is_read_with_what_is_in_it() {
    let (template, faults) = read(&shop());
    assert!(faults.is_empty(), "{faults:?}");
    let template = template.unwrap();
    assert_eq!(template.contents.ports, ["8080:80/tcp"]);
    assert_eq!(template.contents.images, ["nginx:1.29.3", "postgres:18.1"]);
    assert_eq!(template.contents.services[0].depends_on, ["db"]);
    assert_eq!(template.readme.get("fr"), "# Boutique\n");
    let packed = package::pack(&shop(), package::TEMPLATE).unwrap();
    assert_eq!(from_package(&packed).unwrap().text, template.text);
}

#[test]
fn images_without_a_tag_are_refused() {
    for image in ["nginx", "nginx:latest", "registry.example.org:5000/nginx"] {
        let files = with("compose.yaml", "nginx:1.29.3", image);
        assert_eq!(codes(&files), [("compose.yaml".to_owned(), "image_not_pinned")], "{image}");
        assert!(read(&files).0.is_none());
    }
    let pinned = format!("registry.example.org:5000/nginx@sha256:{}", "0".repeat(64));
    assert!(codes(&with("compose.yaml", "nginx:1.29.3", &pinned)).is_empty());
}

#[test]
fn a_service_that_serves_should_have_a_health_check() {
    let files = with("compose.yaml", "    healthcheck: { test: [CMD, pg_isready] }\n", "");
    assert_eq!(codes(&files), [("compose.yaml".to_owned(), "no_health_check")]);
    let (template, faults) = read(&files);
    assert!(template.is_some(), "it is a warning");
    assert_eq!(faults[0].problem.place.line, 7);
}

#[test]
fn everything_wrong_is_told_at_once() {
    let mut files = with("template.yaml", "category: web", "category: wab");
    files.remove("README.fr.md");
    files.insert("icon.svg".into(), b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>".to_vec());
    files.insert("run.sh".into(), b"rm -rf /".to_vec());
    let found = codes(&files);
    let expect = [
        ("run.sh", "unknown_file"),
        ("template.yaml", "invalid_template"),
        ("README.fr.md", "missing_file"),
        ("icon.svg", "unsafe_picture"),
    ];
    assert_eq!(found, expect.map(|(file, code)| (file.to_owned(), code)));
}

#[test]
fn each_version_says_what_changed() {
    assert_eq!(
        codes(&with("template.yaml", "version: 1.2.0", "version: 1.3.0")),
        [("CHANGELOG.md".to_owned(), "no_changes")]
    );
}

#[test]
fn a_package_that_is_none_is_one_fault() {
    let faults = from_package(b"x").unwrap_err();
    assert_eq!(faults[0].problem.code, "bad_package");
}

/// What is put into a variable stays one value, whatever it looks like.
#[test]
fn values_of_variables_inject_nothing() {
    let text = "services:\n  web:\n    image: nginx:1.29.3\n    environment: { TITLE: \"${TITLE}\" }\n    labels: [\"a=${TITLE}\"]\n\
        x-windflow: { variables: { TITLE: { default: x } } }\n";
    for evil in [
        "x\n    privileged: true",
        "\"}, privileged: true, x: {\"",
        "$(reboot)",
        "${HOME}",
        "`id`",
        "*a",
        "'; rm -rf /",
    ] {
        let loaded = contents::load(text, Some("shop"), &[("TITLE".to_owned(), evil.to_owned())].into());
        let project = loaded.project.unwrap_or_else(|| panic!("{evil}: {:?}", loaded.problems));
        let web = &project.services["web"];
        assert_eq!(web.environment["TITLE"], evil);
        assert_eq!(web.labels["a"], evil);
        assert!(!web.options.privileged && project.services.len() == 1);
    }
}
