#include "cli/completion.h"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace tiphys::cli {
namespace {

constexpr std::string_view kFiles = ":files\n";

constexpr std::string_view kBash = R"(# tiphys completion for bash: source <(tiphys completion bash)
_tiphys() {
  local IFS=$'\n' line files='' current="${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  [ "$current" = '=' ] && current=''
  for line in $("${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null); do
    if [ "$line" = ':files' ]; then files=1; else COMPREPLY+=("${line%%$'\t'*}"); fi
  done
  if [ -n "$files" ]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$current"))
  fi
}
complete -F _tiphys tiphys
)";

constexpr std::string_view kZsh = R"(#compdef tiphys
# tiphys completion for zsh: source <(tiphys completion zsh)
_tiphys() {
  local -a candidates
  local line files='' value
  for line in "${(@f)$("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == ':files' ]]; then
      files=1
    elif [[ -n $line ]]; then
      value=${line%%$'\t'*}
      candidates+=("${value//:/\\:}:${line#*$'\t'}")
    fi
  done
  (( ${#candidates} )) && _describe tiphys candidates
  [[ -n $files ]] && _files
}
compdef _tiphys tiphys
)";

constexpr std::string_view kFish = R"(# tiphys completion for fish: tiphys completion fish | source
function __tiphys_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  $words[1] __complete -- $words[2..-1] "$current" 2>/dev/null
end
function __tiphys_values
  __tiphys_complete | string match -v ':files'
end
complete -c tiphys -f -a '(__tiphys_values)'
complete -c tiphys -n '__tiphys_complete | string match -q :files' -F
)";

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// The words of "{a,b,c}" in an option's type, as its validators describe it.
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}', open);
  std::vector<std::string> out;
  if (open == std::string::npos || close == std::string::npos) {
    return out;
  }
  std::string rest = type.substr(open + 1, close - open - 1) + ",";
  for (std::size_t end = 0; (end = rest.find(',')) != std::string::npos; rest.erase(0, end + 1)) {
    if (end > 0) {
      out.push_back(rest.substr(0, end));
    }
  }
  return out;
}

/// The cursor's place, found by walking over the words before it.
struct Place {
  const CLI::App* verb = nullptr;
  const CLI::Option* value_of = nullptr;  ///< a flag whose value is expected
  std::size_t positional = 0;             ///< words that were no flags, verbs or values
  std::string state;
  std::string name_space;
};

const CLI::Option* flag_named(const CLI::App* verb, const std::string& name) {
  for (; verb != nullptr; verb = verb->get_parent()) {
    if (const CLI::Option* option = verb->get_option_no_throw(name)) {
      return option;
    }
  }
  return nullptr;
}

const CLI::App* subcommand(const CLI::App& verb, const std::string& name) {
  for (const CLI::App* one : verb.get_subcommands(nullptr)) {
    if (one->get_name() == name) {
      return one;
    }
  }
  return nullptr;
}

void take_value(Place& place, const std::string& value) {
  if (place.value_of->check_lname("state")) {
    place.state = value;
  } else if (place.value_of->check_lname("namespace")) {
    place.name_space = value;
  }
  place.value_of = nullptr;
}

Place find_place(const CLI::App& app, const std::vector<std::string>& words) {
  Place place;
  place.verb = &app;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (place.value_of != nullptr && word == "=") {
      continue;
    }
    if (place.value_of != nullptr) {
      take_value(place, word);
    } else if (word.starts_with("-") && word.size() > 1) {
      const std::size_t equal = word.find('=');
      const CLI::Option* option = flag_named(place.verb, word.substr(0, equal));
      place.value_of = option != nullptr && takes_value(*option) ? option : nullptr;
      if (place.value_of != nullptr && equal != std::string::npos) {
        take_value(place, word.substr(equal + 1));
      }
    } else if (const CLI::App* next = subcommand(*place.verb, word)) {
      place.verb = next;
    } else {
      ++place.positional;
    }
  }
  return place;
}

class Candidates {
 public:
  explicit Candidates(std::string begin) : begin_(std::move(begin)) {}

  void add(const std::string& value, const std::string& meaning) {
    if (value.starts_with(begin_)) {
      text_ += value + "\t" + first_line(meaning) + "\n";
    }
  }

  void add_files() { text_ += kFiles; }

  std::string take() { return std::move(text_); }

 private:
  std::string begin_;
  std::string text_;
};

void add_values(const CLI::Option& option, Candidates& out) {
  const auto choices = choices_of(option);
  for (const std::string& choice : choices) {
    out.add(choice, "");
  }
  if (choices.empty() && (option.check_lname("parameter-file") || option.check_lname("state"))) {
    out.add_files();
  }
}

void add_flags(const CLI::App* verb, Candidates& out) {
  for (; verb != nullptr; verb = verb->get_parent()) {
    for (const CLI::Option* option : verb->get_options(nullptr)) {
      for (const std::string& name : option->get_lnames()) {
        out.add("--" + name, option->get_description());
      }
    }
  }
}

void add_arguments(const Place& place, const CompletionSources& sources, Candidates& out) {
  std::vector<const CLI::Option*> positional;
  for (const CLI::Option* option : place.verb->get_options(nullptr)) {
    if (option->get_positional()) {
      positional.push_back(option);
    }
  }
  if (positional.empty()) {
    return;
  }
  const CLI::Option& option = *positional[std::min(place.positional, positional.size() - 1)];
  const bool more = option.get_items_expected_max() > 1;
  const std::string name = option.get_name(true);
  if (place.positional >= positional.size() && !more) {
    return;
  }
  if (name == "names" || name == "workflow") {
    for (const std::string& workflow : sources.workflows(place.state, place.name_space)) {
      out.add(workflow, "");
    }
    out.add("@latest", "the newest workflow");
  } else if (name == "files" || name == "destination") {
    out.add_files();
  } else {
    add_values(option, out);
  }
}

}  // namespace

std::string complete(const CLI::App& app, const std::vector<std::string>& words,
                     const CompletionSources& sources) {
  Place place = find_place(app, words);
  std::string begin = words.empty() || words.back() == "=" ? "" : words.back();
  // zsh and fish leave --flag=value in one piece, and so must the candidates be.
  const std::size_t equal = begin.starts_with("--") ? begin.find('=') : std::string::npos;
  if (equal != std::string::npos) {
    const CLI::Option* option = flag_named(place.verb, begin.substr(0, equal));
    Candidates out(begin);
    for (const std::string& choice :
         option == nullptr ? std::vector<std::string>() : choices_of(*option)) {
      out.add(begin.substr(0, equal + 1) + choice, "");
    }
    return out.take();
  }
  Candidates out(begin);
  if (place.value_of != nullptr) {
    add_values(*place.value_of, out);
  } else if (begin.starts_with("-")) {
    add_flags(place.verb, out);
  } else {
    for (const CLI::App* verb : place.verb->get_subcommands(nullptr)) {
      out.add(verb->get_name(), verb->get_description());
    }
    add_arguments(place, sources, out);
  }
  return out.take();
}

Result<std::string> completion_script(std::string_view shell) {
  if (shell == "bash") {
    return std::string(kBash);
  }
  if (shell == "zsh") {
    return std::string(kZsh);
  }
  if (shell == "fish") {
    return std::string(kFish);
  }
  return fail(ErrorCode::invalid,
              "no completion for shell '" + std::string(shell) + "': bash, zsh and fish are known");
}

}  // namespace tiphys::cli
