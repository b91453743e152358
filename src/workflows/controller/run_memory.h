#pragma once
/// Whole runs that need not be made: where every step of an earlier run would be recalled anyway,
/// its nodes are taken over as they are, without going through the steps one by one. A record per
/// run names it by a digest over all that its course depends on: the Workflow's spec, labels and
/// annotations, every template, ConfigMap and Secret that is stored, and the PATH; the programs
/// that its steps started are compared besides.
///
/// This is only as strong as StepMemory, never stronger: a run is remembered when it succeeded,
/// each of its steps was one that StepMemory can compare, none failed on the way, none takes or
/// leaves artifacts, none waits for a person, and its manifests mention nothing that differs from
/// run to run (the run's name, times, node ids, expressions). Everything else goes the long way.

#include "kube/api.h"
#include "workflows/controller/step_memory.h"
#include "workflows/engine/engine.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tiphys::workflows {

/// A run that was not made: its Workflow as it ends, its rows, and whose they were.
struct RecalledRun {
  doc::Value workflow;
  std::vector<kube::Row> rows;
  std::string source;
};

class RunMemory final {
 public:
  /// All must outlive the memory. `reuse`: recall at all; `path`: the PATH that steps have.
  RunMemory(Records& records, const kube::Api& api, StepMemory& steps, bool reuse,
            std::string path);

  /// Before a run starts. Remembers its digest for remember().
  std::optional<RecalledRun> recall(const kube::Object& workflow, TimePoint now);
  /// After a run has ended.
  void remember(const Engine& engine);

 private:
  std::optional<std::string> digest_of(const kube::Object& workflow) const;
  std::optional<RecalledRun> take_over(const kube::Object& workflow, const doc::Value& record,
                                       TimePoint now);
  bool same_programs(const doc::Value& record);
  void put(const std::string& digest, std::string_view name, std::string_view uid,
           std::string_view finished, const doc::Value& programs);

  Records& records_;
  const kube::Api& api_;
  StepMemory& steps_;
  bool reuse_;
  std::string path_;
  std::map<std::string, std::string, std::less<>> digests_;  ///< by the run's uid
};

}  // namespace tiphys::workflows
