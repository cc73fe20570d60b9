#include "context.hpp"

#include "belfry/runtime/log.hpp"

namespace belfry {

PipelineMetrics::PipelineMetrics(Metrics& m)
    : batches(m.counter("belfry_fold_batches_total", "Batches folded")),
      events(m.counter("belfry_fold_events_total", "Events that got their place in the journal")),
      matched(
          m.counter("belfry_fold_matches_total", "Raise and clear lines that events satisfied")),
      commands(m.counter("belfry_commands_total", "Commands folded")),
      advances(m.counter("belfry_clock_advances_total",
                         "Clock advances journalled for timers without events")),
      changes(m.counter("belfry_changes_total", "Changes on the feed")),
      effects(m.counter("belfry_effects_total", "Effects decided")),
      commits(m.counter("belfry_commits_total", "Write batches committed")),
      journal_bytes(
          m.counter("belfry_journal_bytes_total", "Bytes of blocks appended to the journal")),
      replayed(m.counter("belfry_replayed_inputs_total", "Inputs folded again at start")),
      corrected(m.counter("belfry_replay_differences_total",
                          "Replayed changes that differ from the stored ones")),
      clock_steps(
          m.counter("belfry_clock_steps_total", "Jumps of the wall clock by more than a second")),
      snapshots(m.counter("belfry_snapshots_total", "Snapshots written")),
      snapshots_in_place(
          m.counter("belfry_snapshots_in_place_total",
                    "Snapshots that held up the folds, because no process could be forked")),
      commit_items(m.gauge("belfry_commit_inputs", "Inputs in the last commit")),
      commit_ring(m.gauge("belfry_commit_ring_inputs", "Inputs folded and not committed")),
      fold_rings(m.gauge("belfry_fold_ring_batches", "Batches that wait in all rings")),
      disk_used(m.gauge("belfry_disk_used_ratio", "Used share of the store's disk")),
      last_seq(m.gauge("belfry_journal_seq", "Last committed seq")),
      recovery_seconds(m.gauge("belfry_recovery_seconds", "Time from opening the store to ready")),
      signal_keys(m.gauge("belfry_signal_keys", "Signal keys held by the correlator")),
      live_incidents(m.gauge("belfry_live_incidents", "Incidents held by the correlator")),
      rules_over_budget(m.gauge("belfry_rules_over_budget",
                                "Rules, signals, lines and causes over a budget since the rules "
                                "were loaded")),
      rules_cut_off(m.gauge("belfry_rules_cut_off", "Those of them that are cut off")),
      commit_seconds(m.histogram("belfry_commit_seconds", "Time of one commit, fsync included")),
      durable_seconds(m.histogram("belfry_durable_seconds",
                                  "First event of a batch received to batch durable")),
      feed_seconds(m.histogram("belfry_feed_seconds",
                               "First event of a batch received to its changes on the feed")),
      snapshot_fold_seconds(
          m.histogram("belfry_snapshot_fold_seconds", "Time a snapshot held up the folds")) {}

void stop_at_once(const std::string& why) {
  log::error("pipeline", "{}: the process ends and the restart decides what is stored", why);
  ::_exit(70);
}

}  // namespace belfry
