#pragma once
/// Completion of command lines in a shell. The script of a shell asks the program itself what may
/// stand where the cursor is (`tiphys __complete -- WORDS`), so that it knows every verb and flag
/// of the program that is installed, and the workflows that there are.

#include "base/error.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace tiphys::cli {

/// Where the values come from that the program's options do not name.
struct CompletionSources {
  /// Names of the workflows of a state directory and namespace, "" = the defaults.
  std::function<std::vector<std::string>(const std::string& state, const std::string& name_space)>
      workflows;
};

/// What may stand in place of the last of `words`, one a line with a tab and what it means;
/// `:files` says that names of files may stand there too. `words` leave out the program's name; a
/// `=` may be a word of its own, as in bash.
std::string complete(const CLI::App& app, const std::vector<std::string>& words,
                     const CompletionSources& sources);

/// The script for bash, zsh or fish. Error invalid: another shell.
Result<std::string> completion_script(std::string_view shell);

}  // namespace tiphys::cli
