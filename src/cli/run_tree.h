#pragma once
/// The nodes of one run as a person thinks of them, kept up to date transition by transition: step
/// groups are left out (their members stand below the steps template), the items of a loop stand
/// below one branch, in steps and in DAGs alike. Three nouns: a `Branch`, one line of the tree;
/// `Counts`, how many branches are in which state; a running list, so that what runs below a branch
/// is found without looking at what does not.
///
/// A transition costs the same however large the run is. Not shown yet is not forgotten: a branch
/// exists from the first time its node is told of.

#include "cli/session.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace tiphys::cli {

class RunTree final {
 public:
  using Time = std::chrono::sys_time<std::chrono::milliseconds>;
  using Id = std::uint32_t;
  static constexpr Id kNone = 0xFFFFFFFFU;

  enum class State : std::uint8_t { waiting, running, done, failed, skipped };

  enum class Kind : std::uint8_t { step, suspend, group, loop, retry };

  struct Counts {
    std::array<std::uint32_t, 5> of{};

    std::uint32_t operator[](State state) const { return of[static_cast<std::size_t>(state)]; }

    std::uint32_t& operator[](State state) { return of[static_cast<std::size_t>(state)]; }

    std::uint32_t all() const { return of[0] + of[1] + of[2] + of[3] + of[4]; }
  };

  struct Branch {
    std::string label;  ///< one printable line, as is `message`
    std::string message;
    std::string pod;  ///< name of its pod, "" for what has none
    Time began{};     ///< zero while it has not
    Time ended{};
    std::vector<Id> children;
    std::vector<Id> failed;  ///< children that failed, in that order
    Counts counts;           ///< of the children
    Id parent = kNone;
    /// The children that run, linked in the order they began.
    Id first_running = kNone;
    Id last_running = kNone;
    Id running_before = kNone;
    Id running_after = kNone;
    State state = State::waiting;
    Kind kind = Kind::step;
    bool reused = false;
    bool omitted = false;  ///< a person asked nothing of it and sees nothing of it
    bool derived = false;  ///< no node of its own: its state follows from its children
  };

  explicit RunTree(std::string run) : run_(std::move(run)) {}

  /// `now` stands for the moments of transitions that happen while we look, which nodes give in
  /// whole seconds only and with the time they waited.
  void update(const NodeLine& node, Time now);

  const Branch& operator[](Id id) const { return branches_[id]; }

  /// What stands at the top: the entrypoint's children (or itself when it is a single step), the
  /// exit handler, hooks.
  const std::vector<Id>& roots() const { return roots_; }

  const std::string& run() const { return run_; }

  /// Steps (what runs or waits by itself) by state, and how many of them were reused.
  const Counts& steps() const { return steps_; }

  std::uint32_t reused() const { return reused_; }

 private:
  Id place_of(const NodeLine& node);
  Id add(Branch branch);
  Id loop_of(const NodeLine& node, Id parent);
  void change(Id id, State state);
  void link_running(Branch& parent, Id id);
  void unlink_running(Branch& parent, Id id);

  std::string run_;
  std::vector<Branch> branches_;
  std::vector<Id> roots_;
  std::unordered_map<std::uint32_t, Id> by_index_;  ///< a step group's is its template's
  std::unordered_map<std::string, Id> loops_;       ///< of steps: "<step group>/<step>"
  Counts steps_;
  std::uint32_t reused_ = 0;
};

}  // namespace tiphys::cli
