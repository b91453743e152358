#pragma once
/// The jq language, as `valueFrom.jqFilter` takes it. One noun: `JqFilter`, a compiled program:
/// compiled once, run many times, immutable, may be shared between threads. Results are made one at
/// a time. A program reads no clock, file, environment or further input; `now` is handed in, `env`
/// is empty, `input` is refused. Integers have any size.
///
/// Source of the rules and of the error texts: gojq v0.12.19, the implementation Argo links.

#include "base/error.h"
#include "doc/json.h"
#include "lang/gotime/gotime.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::lang {

namespace jq {
struct Program;
}

struct JqOptions {
  /// What `now` gives; an error without it.
  std::function<Instant()> now = {};
  /// What a run may cost, all results together; a few million steps a second. Memory is bounded by
  /// it too: a step is charged for every 32 bytes that are built.
  std::uint64_t steps = 10'000'000;
};

class JqFilter {
 public:
  /// Errors: invalid, gojq's texts, such as `unexpected token "x"` or `function not defined: f/1`;
  /// also for filters of more than 256 KiB or nested too deeply.
  static Result<JqFilter> compile(std::string_view filter);

  /// All results for a document, whose numbers are float64 as Argo decodes them. Errors: invalid,
  /// with the text of what stopped the run: gojq's (`cannot iterate over: number (1)`), or that the
  /// filter takes too many steps or too much memory. Integers that do not fit into 64 bits are
  /// doubles here.
  Result<std::vector<doc::Value>> run(const doc::Value& input, const JqOptions& options = {}) const;

  /// All results as the text of an output parameter: strings as they are, anything else as JSON,
  /// one a line, blanks around the whole cut off. Errors: as run, and for NaN and infinities.
  Result<std::string> text(const doc::Value& input, const JqOptions& options = {}) const;

 private:
  explicit JqFilter(std::shared_ptr<const jq::Program> program) : program_(std::move(program)) {}

  std::shared_ptr<const jq::Program> program_;
};

}  // namespace tiphys::lang
