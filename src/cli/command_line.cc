#include "cli/completion.h"
#include "cli/suggest.h"
#include "cli/verb_table.h"

#include <iostream>

namespace tiphys::cli {
namespace {

constexpr int kUsageError = 2;

std::string variable(const Surroundings& surroundings, const std::string& name) {
  const auto found = surroundings.environment.find(name);
  return found == surroundings.environment.end() ? "" : found->second;
}

std::string default_state_directory(const Surroundings& surroundings) {
  if (const std::string data = variable(surroundings, "XDG_DATA_HOME"); !data.empty()) {
    return data + "/tiphys";
  }
  const std::string home = variable(surroundings, "HOME");
  return (home.empty() ? "/tmp" : home + "/.local/share") + "/tiphys";
}

/// Names of stored workflows, for completion: none when they cannot be had.
std::vector<std::string> workflow_names(const Surroundings& surroundings, std::string state,
                                        const std::string& name_space) {
  if (state.empty()) {
    state = variable(surroundings, "TIPHYS_STATE");
  }
  std::vector<std::string> out;
  const auto session = surroundings.open_session(
      {state.empty() ? default_state_directory(surroundings) : state, name_space, false});
  const auto workflows = session ? (*session)->list(false) : Result<std::vector<doc::Value>>();
  for (const doc::Value& workflow : workflows ? *workflows : std::vector<doc::Value>()) {
    if (const doc::Value* metadata = doc::find(workflow, "metadata")) {
      out.emplace_back(doc::find_string(*metadata, "name"));
    }
  }
  return out;
}

int complete_words(const Surroundings& surroundings, const CLI::App& app) {
  std::vector<std::string> words(surroundings.arguments.begin() + 1, surroundings.arguments.end());
  if (!words.empty() && words.front() == "--") {
    words.erase(words.begin());
  }
  const CompletionSources sources{[&](const std::string& state, const std::string& name_space) {
    return workflow_names(surroundings, state, name_space);
  }};
  std::cout << complete(app, words, sources);
  return 0;
}

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    out.push_back(verb->get_name());
  }
  return out;
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options(nullptr)) {
      for (const std::string& name : option->get_lnames()) {
        out.push_back("--" + name);
      }
    }
  }
  return out;
}

/// What was not understood, and what may have been meant.
int refuse(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* verb = &app;
  while (!verb->get_subcommands().empty()) {
    verb = verb->get_subcommands().front();
  }
  std::string path = verb->get_name();
  for (const CLI::App* level = verb->get_parent(); level != nullptr; level = level->get_parent()) {
    path.insert(0, level->get_name() + " ");
  }
  const std::vector<std::string> extras = app.remaining(true);
  const bool lacks_verb = verb->get_require_subcommand_min() > 0;
  const auto odd = std::ranges::find_if(
      extras, [&](const std::string& extra) { return lacks_verb || extra.starts_with("--"); });
  std::string text = error.what();
  if (lacks_verb && extras.empty()) {
    text = "which verb?";
  } else if (odd != extras.end()) {
    const bool flag = odd->starts_with("-");
    const std::string word = odd->substr(0, flag ? odd->find('=') : std::string::npos);
    text = "unknown " + std::string(flag ? "flag " : "verb ") + word;
    if (const auto meant = suggest(word, flag ? flags_of(*verb) : verbs_of(*verb))) {
      text += ", did you mean " + *meant + "?";
    }
  }
  std::cerr << "Error: " << text << "\n`" << path << " --help` says what there is\n";
  return kUsageError;
}

}  // namespace

int report(const Context& context, const Error& error) {
  context.error << "Error: " << error.message << "\n";
  return 1;
}

int main(const Surroundings& surroundings) {
  // Answered without building the verbs: scripts ask often.
  if (surroundings.arguments.size() == 1 &&
      (surroundings.arguments[0] == "--version" || surroundings.arguments[0] == "version")) {
    std::cout << "tiphys " << surroundings.version << "\n";
    return 0;
  }
  CLI::App app("Tiphys: all of Argo in one native program", "tiphys");
  Chosen chosen;
  chosen.state_directory = variable(surroundings, "TIPHYS_STATE");
  chosen.namespace_ = variable(surroundings, "ARGO_NAMESPACE");
  app.set_version_flag("--version", "tiphys " + surroundings.version);
  app.add_option("--state", chosen.state_directory,
                 "Directory that holds the runs (environment: TIPHYS_STATE; default: under the "
                 "user's data directory)");
  app.add_option("-n,--namespace", chosen.namespace_,
                 "Namespace (environment: ARGO_NAMESPACE; default: any that is there, and "
                 "\"default\" for what is run)");
  app.add_flag("--no-color", chosen.no_color, "No colors");
  app.add_flag("--no-utf8", chosen.no_utf8, "Plain ASCII instead of line-drawing characters");
  app.require_subcommand(1);
  app.fallthrough();
  add_run_verbs({app, chosen, "Run"});
  add_looking_verbs({app, chosen, "Look"});
  add_changing_verbs({app, chosen, "Change"});
  add_template_verbs({app, chosen, "Templates"});
  add_other_verbs({app, chosen, "Other"});
  add_hidden_verbs({app, chosen, ""});
  if (!surroundings.arguments.empty() && surroundings.arguments[0] == "__complete") {
    return complete_words(surroundings, app);
  }

  std::vector<std::string> reversed(surroundings.arguments.rbegin(), surroundings.arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::Success& success) {
    return app.exit(success, std::cout, std::cerr);
  } catch (const CLI::ParseError& error) {
    return refuse(app, error);
  }
  if (chosen.state_directory.empty()) {
    chosen.state_directory = default_state_directory(surroundings);
  }
  const std::string terminal = variable(surroundings, "TERM");
  const std::string forced = variable(surroundings, "CLICOLOR_FORCE");
  const bool wanted = (surroundings.output_is_terminal && terminal != "dumb" &&
                       variable(surroundings, "NO_COLOR").empty()) ||
                      (!forced.empty() && forced != "0");
  const Context context{surroundings,           std::cout,         std::cerr,
                        chosen.state_directory, chosen.namespace_, wanted && !chosen.no_color,
                        !chosen.no_utf8,        terminal != "dumb"};
  return chosen.action(context);
}

}  // namespace tiphys::cli
