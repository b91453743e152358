#include "cli/live_view.h"

#include "cli/text/aligned_table.h"
#include "cli/text/workflow_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <vector>

namespace tiphys::cli {
namespace {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

bool has_ended(const std::string& phase) {
  return phase != "" && phase != "Pending" && phase != "Running";
}

bool is_step(const NodeLine& node) {
  return node.type == "Pod" || node.type == "Suspend" || node.type == "Skipped";
}

std::string seconds_text(Time from, Time to) {
  return fmt::format("{:.1f}s", std::chrono::duration<double>(to - from).count());
}

/// "10:21:07 ✔ wf.map(17:chunk)  1.3s", one per transition.
class LineView final : public RunObserver {
 public:
  LineView(std::ostream& out, ViewOptions options) : out_(out), options_(std::move(options)) {}

  void on_run(const RunLine& run) override {
    if (!options_.node_lines || run.phase == phases_[run.name]) {
      return;
    }
    phases_[run.name] = run.phase;
    out_ << clock_text() << " " << run.name << " " << run.phase
         << (run.message.empty() ? "" : ": " + run.message) << "\n"
         << std::flush;
  }

  void on_node(const NodeLine& node) override {
    if (!options_.node_lines || !is_step(node)) {
      return;
    }
    out_ << clock_text() << " "
         << phase_icon(node.phase, {.color = options_.color, .utf8 = options_.utf8}) << " "
         << node.name << " " << node.phase;
    if (has_ended(node.phase) && node.finished > node.started) {
      out_ << " " << seconds_text(node.started, node.finished);
    }
    out_ << (node.reused ? " (reused)" : "") << (node.message.empty() ? "" : ": " + node.message)
         << "\n"
         << std::flush;
  }

  void on_log(const LogLine& line) override {
    out_ << line.pod << ": " << line.text << "\n" << std::flush;
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
};

/// Totals per template and the steps that run or failed, redrawn in place. Its work per transition
/// does not depend on the size of the run; a redraw looks only at what is running.
class TerminalView final : public RunObserver {
 public:
  TerminalView(std::ostream& out, ViewOptions options)
      : out_(out), options_(std::move(options)), started_(options_.now()) {}

  ~TerminalView() override { draw(true); }

  void on_run(const RunLine& run) override {
    runs_[run.name] = run;
    if (has_ended(run.phase)) {
      draw(true);
    }
  }

  void on_node(const NodeLine& node) override {
    if (!is_step(node)) {
      return;
    }
    const std::string key = node.name;
    Totals& totals = totals_of(node.template_name.empty() ? node.display_name : node.template_name);
    const auto before = steps_.find(key);
    if (before != steps_.end()) {
      totals.count(before->second.phase, -1);
    }
    totals.count(node.phase, 1);
    totals.reused += node.reused && has_ended(node.phase) ? 1 : 0;
    if (!has_ended(node.phase)) {
      steps_[key] = node;
      return;
    }
    steps_.erase(key);
    if (node.phase == "Failed" || node.phase == "Error") {
      failures_.push_back(node);
    }
  }

  void on_log(const LogLine& line) override {
    erase();
    out_ << line.pod << ": " << line.text << "\n";
    draw(false);
  }

  void on_notice(std::string_view text) override {
    erase();
    out_ << "note: " << text << "\n";
    draw(false);
  }

  void on_tick() override { draw(false); }

  bool wants_ticks() const override { return true; }

 private:
  struct Totals {
    std::string name;
    int waiting = 0;
    int running = 0;
    int succeeded = 0;
    int failed = 0;
    int skipped = 0;
    int reused = 0;

    void count(const std::string& phase, int by) {
      int& counter = phase == "Running"                         ? running
                     : phase == "Succeeded"                     ? succeeded
                     : phase == "Failed" || phase == "Error"    ? failed
                     : phase == "Skipped" || phase == "Omitted" ? skipped
                                                                : waiting;
      counter += by;
    }
  };

  Totals& totals_of(const std::string& name) {
    const auto found = std::ranges::find(totals_, name, &Totals::name);
    return found != totals_.end() ? *found : totals_.emplace_back(Totals{.name = name});
  }

  std::string colored(const std::string& text, int code) const {
    return options_.color ? "\x1b[" + std::to_string(code) + "m" + text + "\x1b[0m" : text;
  }

  void erase() {
    if (drawn_ > 0) {
      out_ << "\x1b[" << drawn_ << "A\x1b[J";
      drawn_ = 0;
    }
  }

  /// Cut to the terminal's width, so that a line is a line and the next redraw finds its way back.
  std::string fit(const std::string& text) const {
    const auto width = static_cast<std::size_t>(options_.width);
    if (character_count(text) <= width) {
      return text;
    }
    std::string out;
    for (std::size_t i = 0; i < text.size() && character_count(out) < width; ++i) {
      out += text[i];
    }
    return out;
  }

  std::vector<std::string> lines(bool last) const {
    const Time now = options_.now();
    const TextStyle style{.color = options_.color, .utf8 = options_.utf8};
    std::vector<std::string> out;
    for (const auto& [name, run] : runs_) {
      out.push_back(fmt::format("{} {}  {}  {}", phase_icon(run.phase, style), name, run.progress,
                                seconds_text(started_, now)));
      if (!run.message.empty()) {
        out.push_back("  " + run.message);
      }
    }
    for (const Totals& totals : totals_) {
      const bool busy = totals.running + totals.waiting > 0;
      std::string line = fmt::format("  {} {:<24} {:>5} done",
                                     phase_icon(totals.failed > 0 ? "Failed"
                                                : busy            ? "Running"
                                                                  : "Succeeded",
                                                style),
                                     totals.name, totals.succeeded);
      line += totals.running > 0 ? fmt::format("  {} running", totals.running) : "";
      line += totals.waiting > 0 ? fmt::format("  {} waiting", totals.waiting) : "";
      line += totals.failed > 0 ? fmt::format("  {} failed", totals.failed) : "";
      line += totals.skipped > 0 ? fmt::format("  {} skipped", totals.skipped) : "";
      line += totals.reused > 0 ? fmt::format("  {} reused", totals.reused) : "";
      out.push_back(line);
    }
    const auto room = static_cast<std::size_t>(std::max(options_.height - 2, 4));
    for (auto failure = failures_.rbegin();
         failure != failures_.rend() && (last || out.size() < room); ++failure) {
      out.push_back(fmt::format("  {} {}: {}", phase_icon(failure->phase, style),
                                failure->display_name, failure->message));
    }
    for (auto step = steps_.begin(); step != steps_.end() && !last && out.size() < room; ++step) {
      if (step->second.phase == "Running") {
        out.push_back(fmt::format("    {} {}  {}", phase_icon("Running", style),
                                  step->second.display_name,
                                  seconds_text(step->second.started, now)));
      }
    }
    return out;
  }

  void draw(bool last) {
    erase();
    for (const std::string& line : lines(last)) {
      out_ << (options_.color ? line : fit(line)) << "\n";
      ++drawn_;
    }
    out_ << std::flush;
  }

  std::ostream& out_;
  ViewOptions options_;
  Time started_;
  std::map<std::string, RunLine> runs_;
  std::vector<Totals> totals_;
  std::map<std::string, NodeLine> steps_;
  std::vector<NodeLine> failures_;
  int drawn_ = 0;
};

}  // namespace

std::unique_ptr<RunObserver> make_view(std::ostream& out, ViewOptions options) {
  if (options.terminal) {
    return std::make_unique<TerminalView>(out, std::move(options));
  }
  return std::make_unique<LineView>(out, std::move(options));
}

}  // namespace tiphys::cli
