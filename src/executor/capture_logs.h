#pragma once
/// Keeping what containers wrote as artifacts (archiveLogs): the text alone, as the containers
/// wrote it, out of the log files that have a time and a stream before every line.

#include "artifacts/artifacts.h"
#include "executor/step_plan.h"

namespace tiphys::executor {

/// Adds the logs that `plan` asks for to the outputs. A container that never started has none; one
/// that wrote nothing has an empty one. The first error; the others are tried all the same.
Result<> capture_logs(const StepPlan& plan, const FileView& files, artifacts::Store& store,
                      StepOutputs& outputs);

/// Text of log rows, `<time> <stream> F|P <text>`, as it was written: P rows have no newline of
/// their own. Rows of another form are kept as they are.
class LogText final {
 public:
  /// Takes the next piece of a log file, appends the text to `out`. A row may end in a later piece.
  void take(std::string_view piece, std::string& out);
  /// The file is over.
  void finish(std::string& out);

 private:
  void take_row(std::string_view row, std::string& out) const;

  std::string row_;
};

}  // namespace tiphys::executor
