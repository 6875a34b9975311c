//! What a node type may touch, in one plain sentence: what somebody reads before trusting a stranger's plugin.

use super::{HttpPattern, RequestedCapabilities, Text};

/// The sentence in English and French. `pure` is what was read from the component, not what its manifest says.
#[must_use]
pub fn reach(asked: &RequestedCapabilities, pure: bool) -> Text {
    let sentences = [("en", &ENGLISH), ("fr", &FRENCH)];
    Text(sentences.map(|(language, words)| (language.to_owned(), words.sentence(asked, pure))).into())
}

/// What is asked for one by one, as what follows "it may". Of a pure component it tells nothing.
#[must_use]
pub fn powers(asked: &RequestedCapabilities) -> Vec<Text> {
    let (english, french) = (ENGLISH.powers(asked), FRENCH.powers(asked));
    let both = english.into_iter().zip(french);
    let trimmed = |text: String| text.trim_end_matches(',').to_owned();
    both.map(|(en, fr)| Text([("en".to_owned(), trimmed(en)), ("fr".to_owned(), trimmed(fr))].into())).collect()
}

struct Words {
    computes: &'static str,
    may: &'static str,
    and: &'static str,
    any_host: &'static str,
    /// Before and behind the names of hosts.
    hosts: [&'static str; 2],
    credential: &'static str,
    docker: &'static str,
    email: &'static str,
    state: &'static str,
    files: &'static str,
    hands_files: &'static str,
    events: &'static str,
    clock: &'static str,
    random: &'static str,
    run_context: &'static str,
    cancellation: &'static str,
    nothing_else: &'static str,
}

const ENGLISH: Words = Words {
    computes: "It only computes: it can reach nothing outside of itself.",
    may: "It may ",
    and: " and ",
    any_host: "send requests to the hosts that the workflow allows",
    hosts: ["send requests to ", " where the workflow allows it"],
    credential: ", with a credential of the workflow that it never sees,",
    docker: "deploy to the targets that the workflow allows and look after what is there",
    email: "send mail through the servers that the workflow allows",
    state: "keep values for later runs of the same workflow where it allows that",
    files: "keep files in the scratch folder of the run, where the workflow allows that, until the run ends",
    hands_files: "have files of the run that its configuration names handed to a target, where the workflow allows that",
    events: "publish the events that the workflow allows",
    clock: "read the time of the machine where the workflow allows that",
    random: "draw random numbers that nobody can foresee or repeat, where the workflow allows that",
    run_context: "know which run, node and attempt it is",
    cancellation: "hear that it should stop",
    nothing_else: "; it can touch nothing else.",
};

const FRENCH: Words = Words {
    computes: "Il ne fait que calculer : il n’atteint rien en dehors de lui-même.",
    may: "Il peut ",
    and: " et ",
    any_host: "envoyer des requêtes aux hôtes que le workflow autorise",
    hosts: ["envoyer des requêtes à ", " si le workflow l’autorise"],
    credential: ", avec un identifiant du workflow qu’il ne voit jamais,",
    docker: "déployer sur les cibles que le workflow autorise et s’occuper de ce qui s’y trouve",
    email: "envoyer du courrier par les serveurs que le workflow autorise",
    state: "garder des valeurs pour les exécutions suivantes du même workflow s’il l’autorise",
    files: "garder des fichiers dans le dossier temporaire de l’exécution, si le workflow l’autorise, jusqu’à ce qu’elle se termine",
    hands_files: "faire remettre à une cible des fichiers de l’exécution que sa configuration nomme, si le workflow l’autorise",
    events: "publier les événements que le workflow autorise",
    clock: "lire l’heure de la machine si le workflow l’autorise",
    random: "tirer des nombres aléatoires que personne ne peut prévoir ni répéter, si le workflow l’autorise",
    run_context: "savoir de quelle exécution, de quel nœud et de quelle tentative il s’agit",
    cancellation: "apprendre qu’il doit s’arrêter",
    nothing_else: " ; il ne peut toucher à rien d’autre.",
};

impl Words {
    fn sentence(&self, asked: &RequestedCapabilities, pure: bool) -> String {
        let all = self.powers(asked);
        if pure || all.is_empty() {
            return self.computes.to_owned();
        }
        format!("{}{}{}", self.may, self.listed(&all).trim_end_matches(','), self.nothing_else)
    }

    fn powers(&self, asked: &RequestedCapabilities) -> Vec<String> {
        let mut all = Vec::new();
        if !asked.http.is_empty() {
            let mut text = if asked.http.iter().any(HttpPattern::is_anything) {
                self.any_host.to_owned()
            } else {
                // Without `https://`, which is what everybody expects.
                let shown = |host: &HttpPattern| host.to_string().trim_start_matches("https://").to_owned();
                let hosts: Vec<String> = asked.http.iter().map(shown).collect();
                let [before, after] = self.hosts;
                format!("{before}{}{after}", self.listed(&hosts))
            };
            if asked.credentials {
                text.push_str(self.credential);
            }
            all.push(text);
        }
        if asked.docker {
            all.push(self.docker.to_owned());
        }
        if asked.email {
            let mut text = self.email.to_owned();
            if asked.credentials && asked.http.is_empty() {
                text.push_str(self.credential);
            }
            all.push(text);
        }
        if asked.state {
            all.push(self.state.to_owned());
        }
        if asked.files {
            all.push(self.files.to_owned());
        }
        if !asked.hands_files.is_empty() {
            all.push(self.hands_files.to_owned());
        }
        if asked.events {
            all.push(self.events.to_owned());
        }
        if asked.clock {
            all.push(self.clock.to_owned());
        }
        if asked.random {
            all.push(self.random.to_owned());
        }
        if asked.run_context {
            all.push(self.run_context.to_owned());
        }
        if asked.cancellation {
            all.push(self.cancellation.to_owned());
        }
        all
    }

    fn listed(&self, all: &[String]) -> String {
        match all {
            [] => String::new(),
            [one] => one.clone(),
            [first @ .., last] => format!("{}{}{last}", first.join(", ").replace(",,", ","), self.and),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::french;

    #[track_caller]
    fn check(asked: &Value, pure: bool, english: &str, french: &str) {
        let asked: RequestedCapabilities = serde_json::from_value(asked.clone()).unwrap();
        let text = reach(&asked, pure);
        assert_eq!(french::mistakes(text.get("fr")), [""; 0]);
        assert_eq!((text.get("en"), text.get("fr")), (english, french));
    }

    #[test]
    fn the_sentence_tells_everything_and_nothing_more() {
        check(&json!({}), true, ENGLISH.computes, FRENCH.computes);
        // Asked for, and not imported: it cannot be used.
        check(&json!({ "http": ["*"] }), true, ENGLISH.computes, FRENCH.computes);
        check(&json!({}), false, ENGLISH.computes, FRENCH.computes);
        check(
            &json!({ "http": ["https://hooks.slack.com", "https://slack.com"], "credentials": true, "run_context": true }),
            false,
            "It may send requests to hooks.slack.com and slack.com where the workflow allows it, with a credential of the workflow that it never sees, and know which run, node and attempt it is; it can touch nothing else.",
            "Il peut envoyer des requêtes à hooks.slack.com et slack.com si le workflow l’autorise, avec un identifiant du workflow qu’il ne voit jamais, et savoir de quelle exécution, de quel nœud et de quelle tentative il s’agit ; il ne peut toucher à rien d’autre.",
        );
        check(
            &json!({ "http": ["*:*"], "credentials": true, "cancellation": true }),
            false,
            "It may send requests to the hosts that the workflow allows, with a credential of the workflow that it never sees, and hear that it should stop; it can touch nothing else.",
            "Il peut envoyer des requêtes aux hôtes que le workflow autorise, avec un identifiant du workflow qu’il ne voit jamais, et apprendre qu’il doit s’arrêter ; il ne peut toucher à rien d’autre.",
        );
        check(
            &json!({ "docker": true }),
            false,
            "It may deploy to the targets that the workflow allows and look after what is there; it can touch nothing else.",
            "Il peut déployer sur les cibles que le workflow autorise et s’occuper de ce qui s’y trouve ; il ne peut toucher à rien d’autre.",
        );
        check(
            &json!({ "state": true, "run_context": true }),
            false,
            "It may keep values for later runs of the same workflow where it allows that and know which run, node and attempt it is; it can touch nothing else.",
            "Il peut garder des valeurs pour les exécutions suivantes du même workflow s’il l’autorise et savoir de quelle exécution, de quel nœud et de quelle tentative il s’agit ; il ne peut toucher à rien d’autre.",
        );
        check(
            &json!({ "files": true }),
            false,
            "It may keep files in the scratch folder of the run, where the workflow allows that, until the run ends; it can touch nothing else.",
            "Il peut garder des fichiers dans le dossier temporaire de l’exécution, si le workflow l’autorise, jusqu’à ce qu’elle se termine ; il ne peut toucher à rien d’autre.",
        );
        check(
            &json!({ "docker": true, "hands_files": ["action.build.folder"] }),
            false,
            "It may deploy to the targets that the workflow allows and look after what is there and have files of the run that its configuration names handed to a target, where the workflow allows that; it can touch nothing else.",
            "Il peut déployer sur les cibles que le workflow autorise et s’occuper de ce qui s’y trouve et faire remettre à une cible des fichiers de l’exécution que sa configuration nomme, si le workflow l’autorise ; il ne peut toucher à rien d’autre.",
        );
        check(
            &json!({ "events": true }),
            false,
            "It may publish the events that the workflow allows; it can touch nothing else.",
            "Il peut publier les événements que le workflow autorise ; il ne peut toucher à rien d’autre.",
        );
        check(
            &json!({ "clock": true, "random": true }),
            false,
            "It may read the time of the machine where the workflow allows that and draw random numbers that nobody can foresee or repeat, where the workflow allows that; it can touch nothing else.",
            "Il peut lire l’heure de la machine si le workflow l’autorise et tirer des nombres aléatoires que personne ne peut prévoir ni répéter, si le workflow l’autorise ; il ne peut toucher à rien d’autre.",
        );
        check(
            &json!({ "http": ["api.example.org"] }),
            false,
            "It may send requests to api.example.org where the workflow allows it; it can touch nothing else.",
            "Il peut envoyer des requêtes à api.example.org si le workflow l’autorise ; il ne peut toucher à rien d’autre.",
        );
    }

    #[test]
    fn every_power_has_the_signs_of_french() {
        let every = json!({
            "http": ["a.example.org"], "docker": true, "email": true, "credentials": true, "state": true, "files": true,
            "hands_files": ["folder"], "events": true, "clock": true, "random": true, "run_context": true, "cancellation": true,
        });
        let mut asked: RequestedCapabilities = serde_json::from_value(every).unwrap();
        let named = powers(&asked);
        asked.http = vec!["*:*".parse().unwrap()];
        let all: Vec<_> = named.into_iter().chain(powers(&asked)).collect();
        assert_eq!(all.len(), 2 * (asked.list().len() - 1), "a credential goes along with requests and mail");
        for text in all {
            assert_eq!(french::mistakes(text.get("fr")), [""; 0]);
        }
    }
}
