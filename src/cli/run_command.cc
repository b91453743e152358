#include "cli/commands.h"
#include "cli/live_view.h"
#include "cli/manifests.h"
#include "cli/preparation.h"
#include "cli/selection.h"
#include "cli/text/workflow_text.h"
#include "doc/yaml.h"
#include "workflows/config/config.h"

#include <boost/json.hpp>

#include <ostream>

namespace tiphys::cli {
namespace {

using doc::Value;

constexpr std::size_t kLogTailLines = 3;
/// As shells report a program that SIGINT has ended.
constexpr int kInterruptedExit = 130;

bool succeeded(const Value& workflow) {
  const Value* status = doc::find(workflow, "status");
  return status != nullptr && doc::find_string(*status, "phase") == "Succeeded";
}

/// Runs what the request names with the view that fits the output, prints the outcome, and returns
/// the exit code.
int carry_out_run(const Context& context, Session& session, RunRequest request,
                  const OutputFormat& output) {
  const bool machine_output = output == "json" || output == "yaml" || output == "name";
  ViewOptions view = view_options(context, session);
  view.terminal = view.terminal && !machine_output;
  view.node_lines = !machine_output;
  view.logs = request.logs;
  auto observer = make_view(machine_output ? context.error : context.out, std::move(view));
  request.with_nodes = output == "json" || output == "yaml" || output == "wide";
  const auto ended = session.run(std::move(request), *observer);
  observer.reset();  // what it leaves on the screen comes before what is printed here
  if (!ended) {
    return report(context, ended.error());
  }
  bool all_succeeded = true;
  for (const Value& workflow : ended->workflows) {
    all_succeeded = all_succeeded && succeeded(workflow);
    if (machine_output || output == "wide") {
      print_workflow(context, workflow, output);
    }
  }
  return ended->left ? kInterruptedExit : all_succeeded ? 0 : 1;
}

/// Whether the program that would carry a run out is another one.
bool is_taken(const Error& error) { return error.code == ErrorCode::conflict; }

/// Follows runs that another program carries out, and returns as if they ran here.
int follow_runs(const Context& context, const std::vector<std::string>& names,
                const RunOptions& options, const OutputFormat& output, bool log) {
  auto session = context.open(false);
  if (!session) {
    return report(context, session.error());
  }
  if (const auto started = (*session)->start(names, options); !started) {
    return report(context, started.error());
  }
  int code = 0;
  for (const std::string& name : names) {
    if (log) {
      LogsCommand logs;
      logs.workflow = name;
      logs.query.follow = true;
      print_logs(context, logs);
    }
    const bool machine_output = output == "json" || output == "yaml" || output == "name";
    ViewOptions view = view_options(context, **session);
    view.terminal = view.terminal && !machine_output;
    view.node_lines = !machine_output;
    auto observer = make_view(machine_output ? context.error : context.out, std::move(view));
    const auto ended = (*session)->watch(name, *observer);
    observer.reset();
    if (!ended) {
      return report(context, ended.error());
    }
    if (machine_output || output == "wide") {
      print_workflow(context, *ended, output);
    }
    code = succeeded(*ended) ? code : 1;
  }
  return code;
}

/// Has prepared runs carried out, here when nobody else has the place, else by who has.
int carry_out_prepared(const Context& context, std::unique_ptr<Session> session,
                       const std::vector<std::string>& names, const RunOptions& options,
                       const OutputFormat& output, bool log) {
  if (!session->writable()) {
    session.reset();
    return follow_runs(context, names, options, output, log);
  }
  RunRequest request;
  request.resume = names;
  request.options = options;
  request.logs = log;
  return carry_out_run(context, *session, std::move(request), output);
}

/// Runs workflows again: `make` prepares each one named for it, and returns its name.
template <class Command, class Make>
int rerun(const Context& context, Command command, const Make& make) {
  if (const auto configured = take_config(context, command.config_file, command.run); !configured) {
    return report(context, configured.error());
  }
  auto session = context.open_to_change();
  if (!session) {
    return report(context, session.error());
  }
  auto parameters = parse_assignments(command.parameters);
  if (!parameters) {
    return report(context, parameters.error());
  }
  command.request.parameters = *std::move(parameters);
  const auto names = names_of_verb(**session, command.names, command.filter, context);
  if (!names) {
    return report(context, names.error());
  }
  std::vector<std::string> prepared;
  for (const std::string& name : *names) {
    command.request.workflow = name;
    auto made = make(**session, command.request);
    if (!made) {
      return report(context, made.error());
    }
    prepared.push_back(*std::move(made));
  }
  return carry_out_prepared(context, *std::move(session), prepared, command.run, command.output,
                            command.log);
}

}  // namespace

void print_workflow(const Context& context, const Value& workflow, const OutputFormat& output) {
  if (output == "json") {
    context.out << doc::to_json(workflow, {.escape_html = false, .sort_keys = true, .indent = 4})
                << "\n";
  } else if (output == "yaml") {
    context.out << doc::to_yaml(workflow);
  } else if (output == "name") {
    context.out << doc::find_string(*doc::find(workflow, "metadata"), "name") << "\n";
  } else {
    DescribeOptions options;
    options.layout = output == "wide" ? Layout::wide : Layout::standard;
    options.style = {.color = context.color, .utf8 = context.utf8};
    options.now = context.surroundings.now();
    context.out << describe_workflow(workflow, options);
  }
}

ViewOptions view_options(const Context& context, Session& session) {
  ViewOptions view;
  view.terminal = context.surroundings.output_is_terminal && context.live;
  view.color = context.color;
  view.utf8 = context.utf8;
  view.size = context.surroundings.terminal_size;
  view.now = context.surroundings.now_exactly;
  view.log_tail = [&session](const std::string& pod) {
    return session.log_tail(pod, kLogTailLines);
  };
  return view;
}

Result<std::unique_ptr<Session>> Context::open_to_change() const {
  auto session = open(true);
  return !session && is_taken(session.error()) ? open(false) : std::move(session);
}

int run_workflows(const Context& context, const RunCommand& given) {
  RunCommand command = given;
  if (command.files.empty() && command.resume.empty() && command.from.empty()) {
    return report(
        context,
        Error{ErrorCode::invalid,
              "nothing to run: name a file, a folder, - for standard input, or --resume NAME",
              {}});
  }
  if (!command.from.empty() && !command.files.empty()) {
    return report(context,
                  Error{ErrorCode::invalid, "cannot combine --from with file arguments", {}});
  }
  if (const auto configured = take_config(context, command.config_file, command.run); !configured) {
    return report(context, configured.error());
  }
  std::unique_ptr<Session> session;
  if (!command.dry_run || !command.from.empty()) {
    auto opened = context.open(!command.dry_run);
    if (!opened) {
      Error error = std::move(opened).error();
      if (is_taken(error)) {
        error.message += "; `tiphys submit` hands workflows to the program that runs there";
      }
      return report(context, error);
    }
    session = std::move(*opened);
  }
  auto prepared = prepare(context,
                          {.files = command.files,
                           .from = command.from,
                           .scheduled_time = "",
                           .submit = command.submit,
                           .strict = command.strict,
                           .workflow_defaults = defaults_of(command.run)},
                          session.get());
  if (!prepared) {
    return 1;
  }
  RunRequest request;
  request.resume = command.resume;
  request.options = command.run;
  request.logs = command.log;
  request.workflows = std::move(prepared->workflows);
  request.supporting = std::move(prepared->supporting);
  if (request.workflows.empty() && request.resume.empty()) {
    return report(context, Error{ErrorCode::invalid, "no Workflow found in the given files", {}});
  }
  if (command.dry_run) {
    for (const Value& workflow : request.workflows) {
      print_workflow(context, workflow, command.output.empty() ? "yaml" : command.output);
    }
    return 0;
  }
  return carry_out_run(context, *session, std::move(request), command.output);
}

int retry_workflows(const Context& context, const RetryCommand& command) {
  return rerun(context, command, [](Session& session, const RetryRequest& request) {
    return session.retry(request);
  });
}

int resubmit_workflows(const Context& context, const ResubmitCommand& command) {
  return rerun(context, command, [&](Session& session, ResubmitRequest request) {
    request.suffix = context.surroundings.random_suffix();
    return session.resubmit(request);
  });
}

}  // namespace tiphys::cli
