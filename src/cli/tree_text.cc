#include "cli/tree_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace tiphys::cli {
namespace {

using Id = RunTree::Id;
using Kind = RunTree::Kind;
using State = RunTree::State;
using Branch = RunTree::Branch;

/// What is left out, from nothing to all but what runs and what failed.
enum class Fold { nothing, finished, merged, tight };

constexpr std::array<Fold, 4> kFolds = {Fold::nothing, Fold::finished, Fold::merged, Fold::tight};
constexpr std::size_t kTightFailures = 2;
constexpr std::size_t kTightRunning = 3;

std::string_view phase_of(State state) {
  switch (state) {
    case State::waiting:
      return "Pending";
    case State::running:
      return "Running";
    case State::done:
      return "Succeeded";
    case State::failed:
      return "Failed";
    case State::skipped:
      return "Skipped";
  }
  return "";
}

void add_count(std::string& out, std::uint32_t count, std::string_view word) {
  if (count > 0) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, word);
  }
}

/// A line below a branch: a branch, or a summary of several.
struct Entry {
  Id id = RunTree::kNone;
  std::string summary;
};

class Writer {
 public:
  Writer(const RunTree& tree, const TreeTextOptions& options, Fold fold)
      : tree_(tree), options_(options), fold_(fold) {}

  /// Nothing when it takes more than the rows there are.
  std::optional<std::vector<std::string>> write() {
    std::vector<Entry> top;
    for (const Id root : tree_.roots()) {
      // The entrypoint has the run's own line already.
      const bool is_run = tree_[root].label == tree_.run() && tree_[root].kind == Kind::group;
      std::vector<Entry> below = is_run ? entries_of(root) : std::vector<Entry>{{root, ""}};
      top.insert(top.end(), std::make_move_iterator(below.begin()),
                 std::make_move_iterator(below.end()));
    }
    if (!add_entries(top, "")) {
      return std::nullopt;
    }
    return std::move(lines_);
  }

  /// The steps that failed and run, one line each, without the tree around them.
  std::vector<std::string> write_flat() {
    std::vector<Id> failed;
    std::vector<Id> running;
    for (const Id root : tree_.roots()) {
      find_leaves(root, State::failed, options_.rows / 3, failed);
      find_leaves(root, State::running, options_.rows, running);
    }
    for (const Id id : failed) {
      lines_.push_back(" " + line_of(id));
    }
    const std::size_t room = options_.rows - std::min(options_.rows, lines_.size());
    const std::size_t shown = running.size() > room ? room - std::min<std::size_t>(room, 1) : room;
    for (std::size_t i = 0; i < std::min(shown, running.size()); ++i) {
      lines_.push_back(" " + line_of(running[i]));
    }
    if (running.size() > room && room > 0) {
      lines_.push_back(" " + dots() + " more running");
    }
    return std::move(lines_);
  }

 private:
  std::string dots() const { return options_.style.utf8 ? "…" : "..."; }

  std::string dim(const std::string& text) const {
    return options_.style.color && !text.empty() ? "\x1b[2m" + text + "\x1b[0m" : text;
  }

  bool is_full() const { return lines_.size() > options_.rows; }

  /// A retry stands for its last attempt.
  const Branch& shown(Id id) const {
    const Branch& branch = tree_[id];
    return branch.kind == Kind::retry && !branch.children.empty() ? tree_[branch.children.back()]
                                                                  : branch;
  }

  bool expands(const Branch& branch) const {
    return fold_ == Fold::nothing || branch.state == State::running ||
           branch.state == State::failed;
  }

  std::vector<Entry> entries_of(Id id) const {
    const Branch& branch = shown(id);
    std::vector<Entry> out;
    if (branch.children.empty()) {
      return out;
    }
    if (branch.kind != Kind::loop && fold_ < Fold::merged) {
      for (const Id child : branch.children) {
        if (!tree_[child].omitted) {
          out.push_back({child, ""});
        }
        if (out.size() > options_.rows) {
          break;
        }
      }
      return out;
    }
    if (branch.kind != Kind::loop) {
      add_summaries(branch, out);
    }
    add_failed(branch, out);
    add_running(branch, out);
    return out;
  }

  void add_summaries(const Branch& branch, std::vector<Entry>& out) const {
    const auto add = [&](State state, std::string_view word) {
      if (branch.counts[state] > 0) {
        out.push_back(
            {RunTree::kNone, fmt::format("{} {} {}", phase_icon(phase_of(state), options_.style),
                                         branch.counts[state], word)});
      }
    };
    add(State::done, "done");
    add(State::waiting, "waiting");
  }

  void add_failed(const Branch& branch, std::vector<Entry>& out) const {
    const std::size_t limit = fold_ == Fold::tight ? kTightFailures : options_.rows + 1;
    std::size_t count = 0;
    // The last ones: what failed first has been seen.
    for (auto failed = branch.failed.rbegin(); failed != branch.failed.rend() && count < limit;
         ++failed) {
      if (tree_[*failed].state == State::failed) {
        out.push_back({*failed, ""});
        ++count;
      }
    }
    if (branch.counts[State::failed] > count) {
      out.push_back({RunTree::kNone, fmt::format("{} {} more failed", dots(),
                                                 branch.counts[State::failed] - count)});
    }
  }

  void add_running(const Branch& branch, std::vector<Entry>& out) const {
    const std::size_t limit = fold_ == Fold::tight ? kTightRunning : options_.rows + 1;
    std::size_t count = 0;
    for (Id child = branch.first_running; child != RunTree::kNone && count < limit;
         child = tree_[child].running_after) {
      out.push_back({child, ""});
      ++count;
    }
    if (branch.counts[State::running] > count) {
      out.push_back({RunTree::kNone, fmt::format("{} {} more running", dots(),
                                                 branch.counts[State::running] - count)});
    }
  }

  bool add_entries(const std::vector<Entry>& entries, const std::string& prefix) {
    const bool utf8 = options_.style.utf8;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const bool last = i + 1 == entries.size();
      const std::string stem = prefix + (last ? (utf8 ? "└─" : "`-") : (utf8 ? "├─" : "|-"));
      const std::string below = prefix + (last ? "  " : (utf8 ? "│ " : "| "));
      if (entries[i].id == RunTree::kNone) {
        lines_.push_back(" " + stem + dim(entries[i].summary));
      } else {
        lines_.push_back(" " + stem + line_of(entries[i].id));
        add_tail(entries[i].id, below);
        if (expands(tree_[entries[i].id]) && !is_full() &&
            !add_entries(entries_of(entries[i].id), below)) {
          return false;
        }
      }
      if (is_full()) {
        return false;
      }
    }
    return true;
  }

  void add_tail(Id id, const std::string& prefix) {
    const Branch& branch = shown(id);
    if (tree_[id].state != State::failed || branch.pod.empty() || !options_.log_tail) {
      return;
    }
    const std::size_t most = fold_ == Fold::tight ? 1 : fold_ == Fold::merged ? 2 : 3;
    const std::vector<std::string> tail = options_.log_tail(branch.pod);
    for (std::size_t i = tail.size() - std::min(most, tail.size()); i < tail.size(); ++i) {
      lines_.push_back(" " + prefix + dim((options_.style.utf8 ? "  ┊ " : "  : ") + tail[i]));
    }
  }

  std::string line_of(Id id) const {
    const Branch& branch = tree_[id];
    const bool pauses = branch.kind == Kind::suspend && branch.state == State::running;
    std::string out = pauses && options_.style.utf8
                          ? "ǁ"
                          : phase_icon(pauses ? "Pending" : phase_of(branch.state), options_.style);
    out += " " + branch.label;
    if (branch.kind == Kind::loop) {
      out += fmt::format(" ({} items)", branch.counts.all());
      if (const std::string totals = totals_of(branch.counts); !totals.empty()) {
        out += ": " + totals;
      }
    }
    if (branch.kind == Kind::retry && branch.children.size() > 1) {
      out += fmt::format(" (attempt {})", branch.children.size());
    }
    if (branch.began != RunTree::Time() && branch.state != State::waiting) {
      const bool running = branch.state == State::running;
      const RunTree::Time end = running ? options_.now : branch.ended;
      if (end >= branch.began) {
        out += "  " + dim(elapsed_text(branch.began, end));
      }
    }
    out += branch.reused ? dim("  reused") : "";
    if (pauses) {
      out += "  waits to be resumed";
    }
    const std::string message = message_of(branch);
    return message.empty() ? out : out + "  " + message;
  }

  std::string message_of(const Branch& branch) const {
    if (branch.kind != Kind::retry || branch.failed.empty() || branch.state == State::done) {
      return branch.message;
    }
    const std::string& last = tree_[branch.failed.back()].message;
    if (branch.state == State::running) {
      return "last: " + last;
    }
    return branch.message.empty() ? last : branch.message + ": " + last;
  }

  static std::string totals_of(const RunTree::Counts& counts) {
    std::string out;
    add_count(out, counts[State::done], "done");
    add_count(out, counts[State::running], "running");
    add_count(out, counts[State::failed], "failed");
    add_count(out, counts[State::skipped], "skipped");
    add_count(out, counts[State::waiting], "waiting");
    return out;
  }

  void find_leaves(Id id, State state, std::size_t most, std::vector<Id>& out) const {
    const Branch& branch = tree_[id];
    if (branch.state != state || out.size() > most) {
      return;
    }
    const Branch& inner = shown(id);
    const std::size_t before = out.size();
    if (state == State::running) {
      for (Id child = inner.first_running; child != RunTree::kNone && out.size() <= most;
           child = tree_[child].running_after) {
        find_leaves(child, state, most, out);
      }
    } else {
      for (std::size_t i = inner.failed.size(); i > 0 && out.size() < most; --i) {
        find_leaves(inner.failed[i - 1], state, most, out);
      }
    }
    if (out.size() == before && out.size() <= most) {
      out.push_back(id);
    }
  }

  const RunTree& tree_;
  const TreeTextOptions& options_;
  Fold fold_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> tree_lines(const RunTree& tree, const TreeTextOptions& options) {
  for (const Fold fold : kFolds) {
    if (auto lines = Writer(tree, options, fold).write()) {
      return std::move(*lines);
    }
  }
  return Writer(tree, options, Fold::tight).write_flat();
}

std::string elapsed_text(RunTree::Time from, RunTree::Time to) {
  const auto elapsed = std::max(to - from, std::chrono::milliseconds(0));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
  if (seconds < 10) {
    return fmt::format("{}.{}s", seconds, elapsed.count() / 100 % 10);
  }
  if (seconds < 60) {
    return fmt::format("{}s", seconds);
  }
  return seconds < 3600 ? fmt::format("{}m{:02}s", seconds / 60, seconds % 60)
                        : fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

std::string busy_text(const RunTree::Counts& counts) {
  std::string out;
  add_count(out, counts[State::running], "running");
  add_count(out, counts[State::waiting], "waiting");
  add_count(out, counts[State::failed], "failed");
  return out;
}

}  // namespace tiphys::cli
