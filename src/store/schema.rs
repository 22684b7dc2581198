// @generated automatically by Diesel CLI.

pub mod sql_types {
    #[derive(diesel::query_builder::QueryId, Clone, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "log_level"))]
    pub struct LogLevel;
}

diesel::table! {
    alert_events (source_id, alert_id, id) {
        source_id -> Int8,
        alert_id -> Int8,
        id -> Int8,
        at -> Timestamptz,
        decision -> Text,
        reason -> Nullable<Text>,
        author -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::LogLevel;

    alert_rules (id) {
        id -> Int8,
        host -> Text,
        name -> Text,
        kind -> Text,
        levels -> Array<Nullable<LogLevel>>,
        pattern -> Nullable<Text>,
        count -> Int4,
        within -> Interval,
        group_by -> Array<Nullable<Text>>,
        severity -> Text,
        summary -> Nullable<Text>,
        created_at -> Timestamptz,
        changed_at -> Timestamptz,
        retired_at -> Nullable<Timestamptz>,
        exclude -> Array<Nullable<Text>>,
        match_entry -> Bool,
        sources -> Nullable<Array<Nullable<Text>>>,
        percent -> Nullable<Float8>,
        at_least -> Nullable<Int4>,
        factor -> Nullable<Float8>,
        floor -> Nullable<Float8>,
        lookback -> Nullable<Interval>,
        clear_below -> Nullable<Int4>,
        steps -> Array<Nullable<Text>>,
        value -> Nullable<Text>,
        stale_after -> Nullable<Interval>,
        view -> Nullable<Text>,
        holds_for -> Interval,
        keep_firing -> Interval,
        active -> Nullable<Text>,
        runbook -> Nullable<Text>,
        reads_counts -> Bool,
        remind_every -> Nullable<Interval>,
        literals -> Array<Nullable<Text>>,
    }
}

diesel::table! {
    alerts (source_id, id) {
        source_id -> Int8,
        id -> Int8,
        rule_id -> Int8,
        group_key -> Text,
        started_at -> Timestamptz,
        ended_at -> Timestamptz,
        measured -> Float8,
        threshold -> Float8,
        severity -> Text,
        recorded_at -> Timestamptz,
        fired_at -> Nullable<Timestamptz>,
        resolved_at -> Nullable<Timestamptz>,
        number -> Int4,
        merged_into -> Nullable<Int8>,
        retracted_at -> Nullable<Timestamptz>,
        told_at -> Nullable<Timestamptz>,
        held_back -> Nullable<Text>,
        look_at -> Nullable<Timestamptz>,
        reminders -> Int4,
        acked_at -> Nullable<Timestamptz>,
        acked_by -> Nullable<Text>,
        closed_at -> Nullable<Timestamptz>,
        is_live -> Bool,
    }
}

diesel::table! {
    bucket_counts (source_id, rule_id, bucket, group_key) {
        source_id -> Int8,
        rule_id -> Int8,
        bucket -> Timestamptz,
        group_key -> Text,
        matching -> Int8,
    }
}

diesel::table! {
    channel_states (host, channel) {
        host -> Text,
        channel -> Text,
        delivered_at -> Nullable<Timestamptz>,
        failing_since -> Nullable<Timestamptz>,
        told_at -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        leave_alone_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    counted_spans (source_id, rule_id) {
        source_id -> Int8,
        rule_id -> Int8,
        counted_from -> Timestamptz,
        counted_until -> Timestamptz,
    }
}

diesel::table! {
    generation_lines (source_id, first_line_no) {
        source_id -> Int8,
        first_line_no -> Int8,
        generation -> Int8,
    }
}

diesel::table! {
    generations (source_id, generation) {
        source_id -> Int8,
        generation -> Int8,
        path -> Text,
        device -> Int8,
        inode -> Int8,
        byte_offset -> Int8,
        head_hash -> Int8,
        marker_hash -> Int8,
        superseded_at -> Timestamptz,
        begin_hash -> Int8,
        size_bytes -> Int8,
        file_hash -> Nullable<Int8>,
        state -> Text,
    }
}

diesel::table! {
    hot_intervals (source_id, rule_id, group_key, hot_from) {
        source_id -> Int8,
        rule_id -> Int8,
        group_key -> Text,
        hot_from -> Timestamptz,
        hot_until -> Timestamptz,
        full_from -> Nullable<Timestamptz>,
        measured -> Float8,
    }
}

diesel::table! {
    ingest_gaps (source_id, id) {
        source_id -> Int8,
        id -> Int8,
        generation -> Int8,
        byte_offset -> Int8,
        lost_bytes -> Nullable<Int8>,
        reason -> Text,
        detected_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::LogLevel;

    ingest_state (source_id) {
        source_id -> Int8,
        generation -> Int8,
        device -> Nullable<Int8>,
        inode -> Nullable<Int8>,
        byte_offset -> Int8,
        head_hash -> Int8,
        marker_hash -> Int8,
        size_bytes -> Int8,
        line_no -> Int8,
        parsed_lines -> Int8,
        unparsed_lines -> Int8,
        cut_lines -> Int8,
        redated_entries -> Int8,
        last_logged_at -> Nullable<Timestamptz>,
        open_line_no -> Nullable<Int8>,
        open_logged_at -> Nullable<Timestamptz>,
        open_level -> Nullable<LogLevel>,
        open_lines -> Int4,
        open_bytes -> Int8,
        read_to_end_at -> Nullable<Timestamptz>,
        dirty -> Tstzmultirange,
        dirty_from -> Nullable<Timestamptz>,
        dirty_to -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        last_error_since -> Nullable<Timestamptz>,
        last_error_shown_at -> Nullable<Timestamptz>,
        begin_hash -> Int8,
        file_path -> Nullable<Text>,
        archives_noted -> Bool,
        open_trace -> Nullable<Text>,
        nul_bytes -> Int8,
        journal_cursor -> Nullable<Text>,
        detected_format -> Nullable<Text>,
        unparsed_samples -> Array<Nullable<Text>>,
        counted -> Tstzmultirange,
        held -> Tstzmultirange,
        judge_at -> Nullable<Timestamptz>,
        judged_until -> Nullable<Timestamptz>,
        judge_again -> Bool,
        recount -> Bool,
    }
}

diesel::table! {
    ingest_tails (source_id) {
        source_id -> Int8,
        generation -> Int8,
        byte_offset -> Int8,
        bytes -> Int8,
        hash -> Int8,
        first_seen_at -> Timestamptz,
        flushed -> Nullable<Jsonb>,
    }
}

diesel::table! {
    line_counts (source_id, minute) {
        source_id -> Int8,
        minute -> Timestamptz,
        trace -> Int8,
        debug -> Int8,
        info -> Int8,
        warning -> Int8,
        error -> Int8,
        fatal -> Int8,
        continued -> Int8,
        unparsed -> Int8,
        first_at -> Nullable<Timestamptz>,
        last_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::LogLevel;

    log_entries (source_id, logged_at, line_no) {
        logged_at -> Timestamptz,
        line_no -> Int8,
        source_id -> Int8,
        byte_offset -> Int8,
        fingerprint -> Int8,
        level -> LogLevel,
        message -> Text,
        fields -> Nullable<Jsonb>,
    }
}

diesel::table! {
    message_shapes (source_id, fingerprint) {
        source_id -> Int8,
        fingerprint -> Int8,
        first_seen -> Timestamptz,
        last_seen -> Timestamptz,
    }
}

diesel::table! {
    notifications (id) {
        id -> Int8,
        source_id -> Int8,
        alert_id -> Int8,
        host -> Text,
        channel -> Text,
        kind -> Text,
        number -> Int4,
        created_at -> Timestamptz,
        next_attempt_at -> Timestamptz,
        attempts -> Int4,
        delivered_at -> Nullable<Timestamptz>,
        given_up_at -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        further -> Int4,
        why -> Text,
        given_up_by -> Nullable<Text>,
        over_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    rule_backlog (source_id, rule_id) {
        source_id -> Int8,
        rule_id -> Int8,
        dirty -> Tstzmultirange,
        is_learning -> Bool,
        failures -> Int4,
        failed_since -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        shown_at -> Nullable<Timestamptz>,
        next_try_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    runs (id) {
        id -> Int8,
        host -> Text,
        command -> Text,
        version -> Text,
        started_at -> Timestamptz,
        duration_ms -> Int8,
        sources -> Int4,
        bytes -> Int8,
        lines -> Int8,
        entries -> Int8,
        unparsed_lines -> Int8,
        alerts_fired -> Int4,
        alerts_resolved -> Int4,
        errors -> Int4,
    }
}

diesel::table! {
    silences (id) {
        id -> Int8,
        rule -> Nullable<Text>,
        group_key -> Nullable<Text>,
        severity -> Nullable<Text>,
        starts_at -> Timestamptz,
        ends_at -> Nullable<Timestamptz>,
        author -> Text,
        reason -> Text,
        created_at -> Timestamptz,
        weekly -> Nullable<Text>,
        ended_at -> Nullable<Timestamptz>,
        ended_by -> Nullable<Text>,
    }
}

diesel::table! {
    sources (id) {
        id -> Int8,
        host -> Text,
        path -> Text,
        name -> Text,
        format -> Text,
        timezone -> Text,
        first_seen_at -> Timestamptz,
        empty_since -> Nullable<Timestamptz>,
    }
}

diesel::joinable!(alerts -> alert_rules (rule_id));
diesel::joinable!(alerts -> sources (source_id));
diesel::joinable!(bucket_counts -> alert_rules (rule_id));
diesel::joinable!(bucket_counts -> sources (source_id));
diesel::joinable!(counted_spans -> alert_rules (rule_id));
diesel::joinable!(counted_spans -> sources (source_id));
diesel::joinable!(generation_lines -> sources (source_id));
diesel::joinable!(generations -> sources (source_id));
diesel::joinable!(hot_intervals -> alert_rules (rule_id));
diesel::joinable!(hot_intervals -> sources (source_id));
diesel::joinable!(ingest_gaps -> sources (source_id));
diesel::joinable!(ingest_state -> sources (source_id));
diesel::joinable!(ingest_tails -> sources (source_id));
diesel::joinable!(message_shapes -> sources (source_id));
diesel::joinable!(rule_backlog -> alert_rules (rule_id));
diesel::joinable!(rule_backlog -> sources (source_id));

diesel::allow_tables_to_appear_in_same_query!(
    alert_events,
    alert_rules,
    alerts,
    bucket_counts,
    channel_states,
    counted_spans,
    generation_lines,
    generations,
    hot_intervals,
    ingest_gaps,
    ingest_state,
    ingest_tails,
    line_counts,
    log_entries,
    message_shapes,
    notifications,
    rule_backlog,
    runs,
    silences,
    sources,
);
