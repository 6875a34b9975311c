use super::*;

fn one(converted: &Converted) -> &Draft {
    assert_eq!(converted.drafts.len(), 1, "{:?}", converted.refused);
    &converted.drafts[0]
}

fn variable(draft: &Draft, name: &str) -> (String, Option<String>) {
    let all = &draft.contents.variables;
    let found = all.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("{name} in {}", draft.text));
    (serde_json::to_value(found.kind).unwrap().as_str().unwrap().to_owned(), found.default.clone())
}

#[track_caller]
fn check(draft: &Draft, expect: &[(&str, &str, Option<&str>)]) {
    for (name, kind, default) in expect {
        assert_eq!(variable(draft, name), ((*kind).to_owned(), default.map(str::to_owned)), "{name} in {}", draft.text);
    }
    assert_eq!(draft.contents.variables.len(), expect.len(), "{}", draft.text);
}

#[test]
fn a_compose_file_keeps_its_comments_and_gets_variables() {
    let text = "# Our blog\nservices:\n  blog:\n    image: wordpress:6.9  # tried in November\n    ports:\n      - \"8080:80\"\n    environment:\n      \
        WORDPRESS_DB_PASSWORD: s3cret\n      WORDPRESS_DEBUG: ${DEBUG:-no}\n      URL: mysql://wp:s3cret@db/wp\n    depends_on: [db]\n  db:\n    \
        image: mysql:9.1\n    environment:\n      - MYSQL_PASSWORD=s3cret\n      - MYSQL_ROOT_PASSWORD=other\n    \
        volumes: [data:/var/lib/mysql]\nvolumes: { data: {} }\n";
    let converted = convert(From::Compose, text);
    let draft = one(&converted);
    check(
        draft,
        &[
            ("BLOG_PORT", "port", Some("8080")),
            ("BLOG_TAG", "image_tag", Some("6.9")),
            ("DB_TAG", "image_tag", Some("9.1")),
            ("DEBUG", "string", Some("no")),
            ("MYSQL_ROOT_PASSWORD", "password", None),
            ("WORDPRESS_DB_PASSWORD", "password", None),
        ],
    );
    for kept in [
        "# Our blog\n",
        "image: \"wordpress:${BLOG_TAG}\"  # tried",
        "mysql://wp:${WORDPRESS_DB_PASSWORD}@db/wp",
        "MYSQL_PASSWORD=${WORDPRESS_DB_PASSWORD}",
    ] {
        assert!(draft.text.contains(kept), "{kept} in {}", draft.text);
    }
    assert!(!draft.text.contains("s3cret"), "{}", draft.text);
    assert!(draft.problems.iter().all(|problem| !problem.is_error()), "{:?}", draft.problems);
    assert_eq!(draft.template["name"], "blog");
    let project = contents::load(&draft.text, Some("x"), &std::collections::BTreeMap::new()).project.unwrap();
    assert_eq!(project.services["blog"].ports[0].published, Some(8080));
}

#[test]
fn what_a_compose_file_must_not_have_is_told() {
    let text =
        "services:\n  a: { build: ., image: x }\n  b: { image: \"redis:latest\", volumes: [\"./data:/data\"] }\n";
    let converted = convert(From::Compose, text);
    let codes: Vec<_> = one(&converted).problems.iter().map(|problem| problem.code).collect();
    assert!(!codes.is_empty(), "build and relative paths");
    let unpinned = convert(From::Compose, "services:\n  a: { image: redis }\n");
    assert_eq!(one(&unpinned).problems[0].code, "image_not_pinned");
    for bad in ["", "[", "a: 1", "services", "- 1"] {
        let converted = convert(From::Compose, bad);
        assert_eq!((converted.drafts.len(), converted.refused[0].code), (0, "malformed"), "{bad}");
    }
}

#[test]
fn containers_of_portainer_become_stacks() {
    let text = r#"{ "version": "3", "templates": [
        { "type": 1, "title": "Code Server", "description": "An editor", "categories": ["Editors"], "image": "codercom/code-server:4.90",
          "ports": ["8443:8443/tcp"], "volumes": [{ "container": "/config" }, { "container": "/src", "bind": "/srv/code", "readonly": true }],
          "env": [{ "name": "PASSWORD", "label": "Password" }, { "name": "TZ", "preset": true, "default": "Etc/$UTC" },
            { "name": "THEME", "label": "Look", "select": [{ "text": "Dark", "value": "dark", "default": true }, { "text": "Light", "value": "light" }] }],
          "flavour": "x" },
        { "type": 1, "title": "Agent", "image": "agent:1", "privileged": true },
        { "type": 1, "title": "Watcher", "image": "agent:1", "volumes": [{ "container": "/s", "bind": "/var/run/docker.sock" }] },
        { "type": 2, "title": "Swarm" },
        { "type": 3, "title": "Far", "repository": { "url": "https://example.org", "stackfile": "x.yml" } },
        { "type": 3, "title": "Near", "stackFileContent": "services:\n  a:\n    image: nginx:1.29\n" },
        { "type": 9, "title": "Odd" } ] }"#;
    let converted = convert(From::Portainer, text);
    assert_eq!(converted.drafts.len(), 2, "{:?}", converted.refused);
    let code = &converted.drafts[0];
    check(
        code,
        &[
            ("CODE_SERVER_PORT", "port", Some("8443")),
            ("CODE_SERVER_TAG", "image_tag", Some("4.90")),
            ("PASSWORD", "password", None),
            ("THEME", "choice", Some("dark")),
        ],
    );
    assert_eq!(code.contents.risks[0].name(), "code-server:host_path:/srv/code");
    assert_eq!(code.template["tags"], serde_json::json!(["editors"]));
    assert!(code.text.contains("Etc/$$UTC"), "{}", code.text);
    let refused: Vec<_> = converted.refused.iter().map(|it| (it.what.as_str(), it.code)).collect();
    let expect = [
        ("Code Server: flavour", "unknown"),
        ("Agent", "unsafe"),
        ("Watcher", "unsafe"),
        ("Swarm", "unsupported"),
        ("Far", "remote"),
        ("Odd", "unknown"),
    ];
    assert_eq!(refused, expect);
    // A stack's document within is no way around.
    for unsafe_one in [
        "privileged: true",
        "network_mode: host",
        "pid: host",
        "cap_add: [NET_ADMIN]",
        "volumes: ['/run/docker.sock:/s']",
        "security_opt: ['seccomp:unconfined']",
    ] {
        let document = format!("services:\n  a:\n    image: nginx:1.29\n    {unsafe_one}\n");
        let list = serde_json::json!({ "version": "3", "templates": [{ "type": 3, "title": "Near", "stackFileContent": document }] });
        let converted = convert(From::Portainer, &list.to_string());
        assert_eq!((converted.drafts.len(), converted.refused.len()), (0, 1), "{unsafe_one}");
        assert_eq!((converted.refused[0].what.as_str(), converted.refused[0].code), ("Near", "unsafe"), "{unsafe_one}");
    }
    assert_eq!(convert(From::Portainer, "{").refused[0].code, "malformed");
    assert_eq!(convert(From::Portainer, "{}").refused[0].code, "malformed");
}

const GHOST: &str = "captainVersion: 4\nservices:\n  $$cap_appname-db:\n    image: mysql:$$cap_mysql_version\n    volumes:\n      - $$cap_appname-db-data:/var/lib/mysql\n    \
    restart: always\n    environment:\n      MYSQL_ROOT_PASSWORD: $$cap_db_pass\n    caproverExtra:\n      notExposeAsWebApp: 'true'\n  \
    $$cap_appname:\n    depends_on: [ $$cap_appname-db ]\n    image: ghost:$$cap_ghost_version\n    environment:\n      url: https://$$cap_appname.$$cap_root_domain\n      \
    database__connection__host: srv-captain--$$cap_appname-db\n      database__connection__password: $$cap_db_pass\n    caproverExtra:\n      containerHttpPort: '2368'\n      \
    nginxTemplate: x\ncaproverOneClickApp:\n  displayName: Ghost\n  description: A blog\n  documentation: See https://ghost.org/docs\n  variables:\n    \
    - { id: $$cap_ghost_version, label: Version, defaultValue: '6.10' }\n    - { id: $$cap_mysql_version, label: MySQL, defaultValue: '9.1' }\n    \
    - { id: $$cap_db_pass, label: Password, defaultValue: $$cap_gen_random_hex(16) }\n";

#[test]
fn one_click_apps_of_caprover_become_stacks() {
    let converted = convert(From::Caprover, GHOST);
    let draft = one(&converted);
    check(
        draft,
        &[
            ("APP_PORT", "port", Some("2368")),
            ("DB_PASS", "password", None),
            ("DOMAIN", "domain", Some("localhost")),
            ("GHOST_VERSION", "image_tag", Some("6.10")),
            ("MYSQL_VERSION", "image_tag", Some("9.1")),
        ],
    );
    assert!(draft.problems.iter().all(|problem| !problem.is_error()), "{:?}\n{}", draft.problems, draft.text);
    let project = contents::load(&draft.text, Some("x"), &std::collections::BTreeMap::new()).project.unwrap();
    let app = &project.services["app"];
    assert_eq!(app.environment["database__connection__host"], "db");
    assert_eq!(app.environment["url"], "https://localhost");
    assert!(app.depends_on.contains_key("db"));
    assert_eq!(project.volumes.keys().collect::<Vec<_>>(), ["app-db-data"]);
    assert_eq!(draft.template["homepage"], "https://ghost.org/docs");
    assert_eq!(converted.refused[0].what, "Ghost: app.nginxTemplate");
}

#[test]
fn apps_that_are_built_or_reach_the_engine_are_refused() {
    let built = GHOST.replace("    image: ghost:$$cap_ghost_version\n", "").replace(
        "      containerHttpPort: '2368'\n",
        "      containerHttpPort: '2368'\n      dockerfileLines: [FROM node:22, RUN make]\n",
    );
    assert_eq!(convert(From::Caprover, &built).refused.last().unwrap().code, "unsupported");
    let socket = GHOST.replace("$$cap_appname-db-data:/var/lib/mysql", "/var/run/docker.sock:/s");
    assert_eq!(convert(From::Caprover, &socket).refused.last().unwrap().code, "unsafe");
    let grave = GHOST.replace("    restart: always\n", "    restart: always\n    cap_add: [SYS_PTRACE]\n");
    assert_eq!(convert(From::Caprover, &grave).refused.last().unwrap().code, "unsafe");
    for bad in ["", "[", "captainVersion: 2\nservices: {}\n", "captainVersion: 4\n"] {
        assert!(convert(From::Caprover, bad).drafts.is_empty(), "{bad}");
    }
    assert_eq!(convert(From::Compose, &" ".repeat(MAX_BYTES + 1)).refused[0].code, "malformed");
}
