//! What people are told of an alert, and what they are not told twice.

use crate::scene::Scene;

#[test]
fn an_alert_fires_once_and_is_resolved_once() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(5, &[1, 2]), "A fired 1");
    assert_eq!(scene.alerts(), "A 2-61");
    assert_eq!(scene.run(6, &[]), "");
    assert_eq!(scene.run(60, &[]), "");
    // Its end is not after the tick.
    assert_eq!(scene.run(61, &[]), "A resolved 1");
    assert_eq!(scene.run(62, &[]), "");
}

#[test]
fn one_that_is_over_when_it_is_recorded_is_announced_once() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(100, &[1, 2]), "A resolved 1");
    assert_eq!(scene.run(101, &[]), "");
}

#[test]
fn nothing_is_resolved_as_long_as_entries_are_not_read() {
    let mut scene = Scene::new();
    assert_eq!(scene.run_behind(100, &[1, 2]), "A fired 1");
    assert_eq!(scene.run_behind(200, &[]), "");
    // The file was read to its end at 61 at last.
    assert_eq!(scene.run(61, &[]), "A resolved 1");
}

#[test]
fn nothing_is_resolved_as_long_as_the_file_was_not_looked_at() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(60, &[1, 2]), "A fired 1");
    assert_eq!(scene.alert(100), "");
    assert_eq!(scene.run(100, &[]), "A resolved 1");
}

#[test]
fn late_entries_that_lengthen_a_firing_alert_are_no_news() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(50, &[20, 30]), "A fired 1");
    assert_eq!(scene.run(55, &[10, 35, 25]), "");
    assert_eq!(scene.alerts(), "A 20-90");
    assert_eq!(scene.run(90, &[]), "A resolved 1");
}

#[test]
fn one_that_holds_again_is_announced_again() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(5, &[1, 2]), "A fired 1");
    assert_eq!(scene.run(61, &[]), "A resolved 1");
    assert_eq!(scene.run(70, &[50, 51]), "A fired 2");
    assert_eq!(scene.alerts(), "A 2-110");
    assert_eq!(scene.run(71, &[52]), "");
    assert_eq!(scene.run(111, &[]), "A resolved 2");
    assert_eq!(scene.run(112, &[100, 101]), "A fired 3");
    assert_eq!(scene.run(200, &[]), "A resolved 3");
}

#[test]
fn one_that_held_again_and_is_over_is_no_news() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(100, &[1, 2]), "A resolved 1");
    assert_eq!(scene.run(110, &[50, 51]), "");
    assert_eq!(scene.alerts(), "A 2-110");
    assert_eq!(scene.run(111, &[]), "");
}

#[test]
fn late_entries_apart_from_other_alerts_are_an_alert_of_their_own() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(310, &[301, 302]), "A fired 1");
    assert_eq!(scene.run(311, &[1, 2]), "B resolved 1");
    assert_eq!(scene.alerts(), "A 302-361, B 2-61");
}

#[test]
fn two_that_fire_and_become_one_are_resolved_as_one() {
    let mut scene = Scene::new();
    assert_eq!(scene.run_behind(150, &[1, 2, 101, 102]), "A fired 1, B fired 1");
    assert_eq!(scene.run_behind(155, &[60, 61]), "");
    assert_eq!(scene.alerts(), "A 2-161, B in A");
    assert_eq!(scene.run(161, &[]), "A resolved 1");
    assert_eq!(scene.run(162, &[]), "");
}

#[test]
fn the_earlier_one_survives_even_if_it_was_recorded_later() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(150, &[101, 102]), "A fired 1");
    // Before anybody was told of the earlier one, the two become one.
    scene.store(155, &[1, 2], true);
    scene.evaluate_only(155);
    assert_eq!(scene.alerts(), "A 102-161, B 2-61");
    assert_eq!(scene.run(155, &[60, 61]), "");
    assert_eq!(scene.alerts(), "A in B, B 2-161");
    assert_eq!(scene.run(161, &[]), "B resolved 1");
}

#[test]
fn one_that_was_over_and_joins_one_that_fires_ends_once_more() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(5, &[1, 2]), "A fired 1");
    assert_eq!(scene.run(61, &[]), "A resolved 1");
    assert_eq!(scene.run(110, &[101, 102]), "B fired 1");
    assert_eq!(scene.run(120, &[60, 61]), "");
    assert_eq!(scene.alerts(), "A 2-161, B in A");
    assert_eq!(scene.run(161, &[]), "A resolved 2");
    assert_eq!(scene.run(162, &[]), "");
}

#[test]
fn two_that_were_over_and_hold_again_as_one_are_announced_again() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(200, &[1, 2, 101, 102]), "A resolved 1, B resolved 1");
    assert_eq!(scene.run(200, &[60, 61, 160, 161]), "A fired 2");
    assert_eq!(scene.alerts(), "A 2-220, B in A");
    assert_eq!(scene.run(220, &[]), "A resolved 2");
}

#[test]
fn two_that_were_over_and_become_one_are_no_news() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(200, &[1, 2, 101, 102]), "A resolved 1, B resolved 1");
    assert_eq!(scene.run(201, &[60, 61]), "");
    assert_eq!(scene.alerts(), "A 2-161, B in A");
    assert_eq!(scene.run(202, &[]), "");
}

#[test]
fn numbers_have_no_gap_where_chunks_of_one_run_join_what_holds_again() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(200, &[1, 2, 101, 102]), "A resolved 1, B resolved 1");
    scene.store(200, &[160, 161], false);
    scene.evaluate_only(200);
    assert_eq!(scene.run(200, &[60, 61]), "A fired 2");
    assert_eq!(scene.alerts(), "A 2-220, B in A");
    assert_eq!(scene.run(220, &[]), "A resolved 2");
}

#[test]
fn what_was_read_since_the_evaluation_may_lengthen_an_alert() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(5, &[1, 2]), "A fired 1");
    scene.store(20, &[10, 11], true);
    scene.evaluate_only(20);
    scene.store(80, &[69, 70], true);
    // Read by another process, which has no time for it.
    assert_eq!(scene.announce_only(80), "");
    assert_eq!(scene.alert(80), "");
    assert_eq!(scene.alerts(), "A 2-129");
    assert_eq!(scene.run(129, &[]), "A resolved 1");
}

#[test]
fn what_fires_is_told_whatever_was_read_since() {
    let mut scene = Scene::new();
    scene.store(5, &[1, 2], true);
    scene.evaluate_only(5);
    scene.store(6, &[4, 5], true);
    assert_eq!(scene.announce_only(6), "A fired 1");
}

#[test]
fn three_become_one_at_once() {
    let mut scene = Scene::new();
    let all = "A resolved 1, B resolved 1, C fired 1";
    assert_eq!(scene.run(220, &[1, 2, 101, 102, 201, 202]), all);
    assert_eq!(scene.run(221, &[60, 61, 160, 161]), "");
    assert_eq!(scene.alerts(), "A 2-261, B in A, C in A");
    assert_eq!(scene.run(261, &[]), "A resolved 2");
}

#[test]
fn what_an_absorbed_one_had_absorbed_points_to_the_survivor() {
    let mut scene = Scene::new();
    let all = "A resolved 1, B resolved 1, C fired 1";
    assert_eq!(scene.run(220, &[1, 2, 101, 102, 201, 202]), all);
    assert_eq!(scene.run(221, &[160, 161]), "");
    assert_eq!(scene.alerts(), "A 2-61, B 102-261, C in B");
    assert_eq!(scene.run(222, &[60, 61]), "");
    assert_eq!(scene.alerts(), "A 2-261, B in A, C in A");
    // B fired as its second, unannounced number 2.
    assert_eq!(scene.run(261, &[]), "A resolved 3");
}

#[test]
fn one_that_absorbed_another_absorbs_a_further_one() {
    let mut scene = Scene::new();
    scene.run(300, &[1, 2, 101, 102, 201, 202]);
    assert_eq!(scene.run(301, &[60, 61]), "");
    assert_eq!(scene.alerts(), "A 2-161, B in A, C 202-261");
    assert_eq!(scene.run(302, &[160, 161]), "");
    assert_eq!(scene.alerts(), "A 2-261, B in A, C in A");
}

#[test]
fn an_alert_that_goes_on_uses_up_no_numbers() {
    let mut scene = Scene::new();
    for now in 2..10 {
        scene.run(now, &[now - 1, now]);
    }
    assert_eq!(scene.run(310, &[301, 302]), "A resolved 1, B fired 1");
    let alerts = scene.bench.alerts(&scene.logs);
    assert_eq!((alerts[0].id, alerts[1].id), (1, 2));
}
