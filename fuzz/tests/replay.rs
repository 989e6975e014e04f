//! Every input of the corpus, as it is and changed a few times, harms nobody.

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
    let inputs = corpus::load("server").unwrap();
    // Objects of the session, and what their calls were for: it fails when the corpus is to be recorded anew. A session is sent
    // without waiting for answers, so that in some the end overtakes a call: one of many tries is enough.
    let does_something = |input: &[u8]| connection::made(input).contains(&20);
    assert!((0..100).any(|_| inputs.iter().any(|(_, input)| does_something(input))));
}

#[test]
fn streams_are_cut_into_frames_without_loss() {
    for (path, input) in corpus::load("server").unwrap() {
        let frames = split(&input);
        assert!(frames.len() > 3, "{}", path.display());
        assert_eq!(frames.concat(), input);
    }
}
