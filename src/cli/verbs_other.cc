#include "cli/completion.h"
#include "cli/verb_table.h"

#include <ostream>

namespace tiphys::cli {
namespace {

struct CompletionCommand {
  std::string shell;
};

int print_completion(const Context& context, const CompletionCommand& command) {
  const auto script = completion_script(command.shell);
  if (!script) {
    return report(context, script.error());
  }
  context.out << *script;
  return 0;
}

}  // namespace

void add_other_verbs(VerbTable table) {
  table.add<CompletionCommand>("completion",
                               "Print a script that completes command lines in a shell",
                               print_completion, [](CLI::App& verb, CompletionCommand& command) {
                                 verb.add_option("shell", command.shell, "Which shell")
                                     ->required()
                                     ->check(CLI::IsMember({"bash", "zsh", "fish"}));
                               });
}

}  // namespace tiphys::cli
