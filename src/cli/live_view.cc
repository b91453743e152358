#include "cli/live_view.h"

#include "base/fnv.h"
#include "cli/screen.h"
#include "cli/text/terminal_text.h"
#include "cli/text/workflow_text.h"
#include "cli/tree_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <vector>

namespace tiphys::cli {
namespace {

using Time = RunTree::Time;

constexpr std::size_t kBarColumns = 20;
/// What stays on the screen when a run has ended may be longer than the screen.
constexpr std::size_t kFinalRows = 200;

bool has_ended(const std::string& phase) {
  return phase != "" && phase != "Pending" && phase != "Running";
}

bool is_step(const NodeLine& node) {
  return node.type == "Pod" || node.type == "Suspend" || node.type == "Skipped";
}

/// "10:21:07 ✔ wf.map(17:chunk) Succeeded 1.3s", one per transition.
class LineView final : public RunObserver {
 public:
  LineView(std::ostream& out, ViewOptions options) : out_(out), options_(std::move(options)) {}

  void on_run(const RunLine& run) override {
    if (!options_.node_lines || run.phase == phases_[run.name]) {
      return;
    }
    phases_[run.name] = run.phase;
    out_ << clock_text() << " " << run.name << " " << run.phase
         << (run.message.empty() ? "" : ": " + printable_line(run.message)) << "\n"
         << std::flush;
  }

  void on_node(const NodeLine& node) override {
    // What is reused only passes through the phases before its end.
    const bool passing = node.reused && !has_ended(node.phase);
    if (!options_.node_lines || !is_step(node) || passing ||
        (node.earlier && !options_.tell_earlier)) {
      return;
    }
    const std::pair key(node.run, node.index);
    Time began = node.started;
    if (!node.earlier && node.phase == "Running") {
      began_[key] = options_.now();
    }
    Time ended = node.finished;
    if (const auto ran = began_.find(key); ran != began_.end() && has_ended(node.phase)) {
      began = ran->second;
      ended = options_.now();
      began_.erase(ran);
    }
    out_ << clock_text() << " "
         << phase_icon(node.phase, {.color = options_.color, .utf8 = options_.utf8}) << " "
         << node.name << " " << node.phase;
    if (has_ended(node.phase) && ended > began && began != Time() && !node.reused) {
      out_ << " " << elapsed_text(began, ended);
    }
    out_ << (node.reused ? " (reused)" : "")
         << (node.message.empty() ? "" : ": " + printable_line(node.message)) << "\n"
         << std::flush;
  }

  void on_log(const LogLine& line) override {
    out_ << log_line_text(line, false, options_.color) << "\n" << std::flush;
  }

  void on_notice(std::string_view text) override { out_ << "note: " << text << "\n" << std::flush; }

  void on_tick() override {}

  bool wants_ticks() const override { return false; }

 private:
  std::string clock_text() const {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(options_.now());
    return format_moment(seconds).substr(11, 8);
  }

  std::ostream& out_;
  ViewOptions options_;
  std::map<std::string, std::string> phases_;
  std::map<std::pair<std::string, std::uint32_t>, Time> began_;  ///< of what runs
};

/// The trees of all runs, redrawn in place at every tick.
class TerminalView final : public RunObserver {
 public:
  TerminalView(std::ostream& out, ViewOptions options)
      : screen_(out), options_(std::move(options)) {}

  ~TerminalView() override { draw(true); }

  void on_run(const RunLine& line) override {
    Run& run = run_of(line.name);
    if (run.line.started != Time()) {
      const Time started = run.line.started;
      run.line = line;
      run.line.started = started;
    } else {
      run.line = line;
      run.line.started = line.started != Time() ? line.started : options_.now();
    }
    if (has_ended(line.phase) && run.ended == Time()) {
      run.ended = options_.now();
    }
  }

  void on_node(const NodeLine& node) override {
    run_of(node.run).tree.update(node, options_.now());
  }

  void on_log(const LogLine& line) override {
    above_ += log_line_text(line, false, options_.color) + "\n";
  }

  void on_notice(std::string_view text) override { above_ += "note: " + std::string(text) + "\n"; }

  void on_tick() override { draw(false); }

  bool wants_ticks() const override { return true; }

 private:
  struct Run {
    explicit Run(const std::string& name) : tree(name) {}

    RunLine line;
    Time ended{};
    RunTree tree;
  };

  Run& run_of(const std::string& name) {
    const auto found =
        std::ranges::find(runs_, name, [](const auto& run) { return run->tree.run(); });
    return found != runs_.end() ? **found : *runs_.emplace_back(std::make_unique<Run>(name));
  }

  TextStyle style() const { return {.color = options_.color, .utf8 = options_.utf8}; }

  std::string colored(const std::string& text, int code) const {
    return options_.color ? "\x1b[" + std::to_string(code) + "m" + text + "\x1b[0m" : text;
  }

  /// "N/M" as a bar; nothing when there is nothing to do yet.
  std::string bar(const std::string& progress) const {
    const std::size_t slash = progress.find('/');
    std::size_t done = 0;
    std::size_t all = 0;
    if (slash != std::string::npos) {
      std::from_chars(progress.data(), progress.data() + slash, done);
      std::from_chars(progress.data() + slash + 1, progress.data() + progress.size(), all);
    }
    if (all == 0) {
      return "";
    }
    const std::size_t full = std::min(done, all) * kBarColumns / all;
    std::string head;
    std::string tail;
    for (std::size_t i = 0; i < kBarColumns; ++i) {
      (i < full ? head : tail) += options_.utf8 ? (i < full ? "━" : "─") : (i < full ? "#" : "-");
    }
    return (full > 0 ? colored(head, 32) : "") + (full < kBarColumns ? colored(tail, 2) : "");
  }

  std::string head_of(const Run& run, Time now) const {
    const RunLine& line = run.line;
    std::string out = phase_icon(line.phase.empty() ? "Pending" : line.phase, style()) + " " +
                      colored(run.tree.run(), 1);
    if (options_.utf8 && !line.phase.empty()) {
      out += "  " + line.phase;
    }
    if (!line.progress.empty()) {
      out += "  " + bar(line.progress) + " " + line.progress;
    }
    if (line.started != Time()) {
      out += "  " + elapsed_text(line.started, run.ended != Time() ? run.ended : now);
    }
    if (const std::string busy = busy_text(run.tree.steps()); !busy.empty()) {
      out += "  " + busy;
    }
    if (run.tree.reused() > 0) {
      out += fmt::format("  {} reused", run.tree.reused());
    }
    return out;
  }

  /// A run's block. Short of room, a run that has ended well is its first line only.
  std::vector<std::string> block_of(const Run& run, std::size_t rows, Time now) const {
    std::vector<std::string> out{head_of(run, now)};
    if (!run.line.message.empty() && rows > 1) {
      out.push_back("  " + printable_line(run.line.message));
    }
    if (rows > out.size()) {
      TreeTextOptions options;
      options.style = style();
      options.now = run.ended != Time() ? run.ended : now;
      options.rows = rows - out.size();
      options.log_tail = options_.log_tail;
      const auto tree = tree_lines(run.tree, options);
      out.insert(out.end(), tree.begin(), tree.end());
    }
    return out;
  }

  /// Each run gets its share of the rows, and what those before it have left.
  std::vector<std::string> lines(std::size_t rows, Time now) const {
    std::vector<std::string> out;
    std::size_t shown = 0;
    for (const auto& run : runs_) {
      const std::size_t left = rows - std::min(rows, out.size());
      const std::size_t others = runs_.size() - shown - 1;
      if (left <= 1 && others > 0) {
        out.push_back(fmt::format("{} {} more workflows", options_.utf8 ? "…" : "...", others + 1));
        break;
      }
      const std::size_t share = std::max<std::size_t>(left / (others + 1), 1);
      const auto block = block_of(*run, share, now);
      out.insert(out.end(), block.begin(), block.end());
      ++shown;
    }
    return out;
  }

  void draw(bool last) {
    const ScreenSize size = options_.size();
    const int most = options_.logs && !last ? size.height / 2 : size.height - 1;
    const auto rows = static_cast<std::size_t>(std::max(most, 3));
    auto block = lines(last ? std::max(rows, kFinalRows) : rows, options_.now());
    for (std::string& line : block) {
      line = fit_columns(line, static_cast<std::size_t>(std::max(size.width, 1)), options_.utf8);
    }
    if (!block.empty() || !above_.empty()) {
      screen_.draw(block, above_, size);
    }
    above_.clear();
  }

  Screen screen_;
  ViewOptions options_;
  std::vector<std::unique_ptr<Run>> runs_;  ///< in the order they were first told of
  std::string above_;                       ///< lines to print before the next redraw
};

}  // namespace

std::string log_line_text(const LogLine& line, bool timestamps, bool color) {
  static constexpr std::array<int, 7> kColors = {31, 32, 33, 34, 35, 36, 39};
  std::string name = line.pod + ":";
  if (color) {
    name = "\x1b[" + std::to_string(kColors[fnv1a_32(line.pod) % kColors.size()]) + "m" + name +
           "\x1b[0m";
  }
  return name + " " + (timestamps ? line.timestamp + " " : "") + line.text;
}

std::unique_ptr<RunObserver> make_view(std::ostream& out, ViewOptions options) {
  if (options.terminal) {
    return std::make_unique<TerminalView>(out, std::move(options));
  }
  return std::make_unique<LineView>(out, std::move(options));
}

}  // namespace tiphys::cli
