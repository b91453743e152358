#pragma once
/// What a step's result depends on, as one key: two runs of a step with equal keys need not both be
/// made. Nouns: `KeyPart`, one named thing the step depends on; `StepKey`, all of them and the
/// SHA-256 over them; `Program`, a file that is executed.
///
/// The key covers the resolved template field by field, the digests of the input artifacts, and the
/// content of the program that runs. It does not cover what the program opens by itself: shared
/// libraries, programs that a shell script calls, files of the host image. Whoever computes keys
/// hands in a template without what cannot change the result (metadata, retries, deadlines) and
/// without what differs in every run (pod names).

#include "artifacts/digest.h"
#include "base/error.h"
#include "doc/json.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::executor {

struct KeyPart {
  /// "template.container.args[2]", "inputs.artifacts.reads", "program.bwa".
  std::string name;
  /// Short values as JSON; of long ones their digest and size ("sha256:... (10240 bytes)").
  std::string value;
  bool operator==(const KeyPart&) const = default;
};

struct StepKey {
  std::string digest;  ///< SHA-256 in hex over the parts
  std::vector<KeyPart>
      parts;  ///< in a fixed order: template, inputs, programs, each sorted by name
  bool operator==(const StepKey&) const = default;

  std::string to_json() const;
  /// Error invalid for what is no key, or one whose digest is not that of its parts.
  static Result<StepKey> from_json(std::string_view text);
};

struct Program {
  std::string name;            ///< as the template says it
  std::filesystem::path path;  ///< where it was found
  std::string digest;          ///< SHA-256 of its content, hex
  bool operator==(const Program&) const = default;
};

struct InputDigest {
  std::string name;
  std::string digest;  ///< SHA-256 in hex, as Store::stat tells; empty: an optional one, not there
  bool operator==(const InputDigest&) const = default;
};

/// Pure. The order of object members, inputs and programs does not matter.
StepKey step_key(const doc::Value& resolved_template, const std::vector<InputDigest>& inputs,
                 const std::vector<Program>& programs);

/// A part in which two keys differ: its value before and after, absent where it was not there.
struct KeyDifference {
  std::string name;
  std::optional<std::string> before;
  std::optional<std::string> after;
  bool operator==(const KeyDifference&) const = default;
};

/// All differences, in the order of the parts; none for equal keys.
std::vector<KeyDifference> differences(const StepKey& before, const StepKey& after);
/// The first difference, or nothing.
std::optional<KeyDifference> explain(const StepKey& before, const StepKey& after);

/// Where programs are looked for.
struct ProgramSearch {
  std::filesystem::path root = "/";     ///< the container's files on this machine
  std::string path;                     ///< the container's PATH
  std::string working_directory = "/";  ///< for names with a slash that are relative
};

/// The programs that run when a container runs `command`: the file, and, where that is a script,
/// the interpreter its first line names, and so on (Linux follows four). Links are followed within
/// `root`. not_found, with the words of upstream's emissary, when there is no such program.
Result<std::vector<Program>> programs_of(std::string_view command, const ProgramSearch& search,
                                         artifacts::FileDigests& digests);

}  // namespace tiphys::executor
