#pragma once
/// The table of verbs: each is a name, a help text, a struct of options, and the function of
/// commands.h that carries them out. A file verbs_<group>.cc adds the verbs of one group; a new
/// group is a new file and a line in command_line.cc.

#include "cli/commands.h"

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tiphys::cli {

/// The options that stand on every verb, and the verb that was chosen.
struct Chosen {
  std::string state_directory;
  std::string namespace_;
  bool no_color = false;
  bool no_utf8 = false;
  std::function<int(const Context&)> action;
};

class VerbTable final {
 public:
  VerbTable(CLI::App& app, Chosen& chosen, std::string heading)
      : app_(app), chosen_(chosen), heading_(std::move(heading)) {}

  /// A verb whose options live as long as it does. `options` adds them, each bound to a member of
  /// the command.
  template <class Command>
  CLI::App& add(const std::string& name, const std::string& help,
                int (*carry_out)(const Context&, const Command&),
                const std::function<void(CLI::App&, Command&)>& options) {
    return add_below(app_, name, help, carry_out, options);
  }

  /// A verb of two words: `parent` comes from `family`.
  template <class Command>
  CLI::App& add_below(CLI::App& parent, const std::string& name, const std::string& help,
                      int (*carry_out)(const Context&, const Command&),
                      const std::function<void(CLI::App&, Command&)>& options) {
    auto command = std::make_shared<Command>();
    CLI::App& verb = *parent.add_subcommand(name, help)->group(heading_);
    options(verb, *command);
    verb.callback([&chosen = chosen_, command, carry_out] {
      chosen.action = [command, carry_out](const Context& context) {
        return carry_out(context, *command);
      };
    });
    return verb;
  }

  /// The first word of several verbs.
  CLI::App& family(const std::string& name, const std::string& help) {
    return *app_.add_subcommand(name, help)->group(heading_)->require_subcommand(1);
  }

 private:
  CLI::App& app_;
  Chosen& chosen_;
  std::string heading_;  ///< in the help; empty = not shown there
};

/// Options that several verbs have.
void add_output(CLI::App& verb, OutputFormat& output, const std::vector<std::string>& formats);
void add_strict(CLI::App& verb, bool& strict);
void add_submit_options(CLI::App& verb, SubmitOptions& submit);
void add_selectors(CLI::App& verb, ListCommand& filter);
void add_run_options(CLI::App& verb, RunOptions& run);
void add_config(CLI::App& verb, std::string& file);
void add_parameters(CLI::App& verb, std::vector<std::string>& parameters, const std::string& help);

void add_run_verbs(VerbTable table);
void add_looking_verbs(VerbTable table);
void add_changing_verbs(VerbTable table);
void add_template_verbs(VerbTable table);
void add_other_verbs(VerbTable table);
/// Verbs that the program starts itself with.
void add_hidden_verbs(VerbTable table);

}  // namespace tiphys::cli
