//! Every input of the corpus, as it is and changed a few times, harms nobody.

use std::fs;

use fuzz::corpus;
use fuzz::mutate::{mutate, split};
use fuzz::random::Random;
use fuzz::targets::{TARGETS, connection};

#[test]
fn the_corpus_and_its_neighbours_harm_nobody() {
    for target in TARGETS {
        let mut run = (target.start)();
        let inputs = corpus::load(target.name).unwrap();
        assert!(!inputs.is_empty(), "{} has a corpus", target.name);
        let mut random = Random::new(1);
        for (path, input) in &inputs {
            println!("{}", path.display());
            run(input);
            for _ in 0..20 {
                let changed = mutate(input, &inputs[0].1, target.kind, &mut random);
                run(&changed);
            }
        }
    }
}

#[test]
fn a_session_of_the_corpus_still_does_something() {
    // The one that needs no answers of the client's, which the server would wait for in an order of its own. Its last call makes
    // an object: it fails when the corpus is to be recorded anew.
    let short = corpus::directory("server").join("short");
    assert_eq!(connection::made(&fs::read(short).unwrap()), [1]);
}

#[test]
fn streams_are_cut_into_frames_without_loss() {
    for (path, input) in corpus::load("server").unwrap() {
        let frames = split(&input);
        assert!(frames.len() > 3, "{}", path.display());
        assert_eq!(frames.concat(), input);
    }
}
