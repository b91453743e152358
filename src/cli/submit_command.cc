#include "cli/commands.h"
#include "cli/preparation.h"
#include "cli/selection.h"

#include <boost/json.hpp>

#include <ostream>

namespace tiphys::cli {
namespace {

using doc::Value;

/// Combinations that make no sense; upstream's words.
Result<> check_options(const SubmitCommand& command, std::size_t workflows) {
  const auto refuse = [](const char* text) { return fail(ErrorCode::invalid, text); };
  if (command.watch) {
    if (workflows > 1) {
      return refuse("cannot watch more than one workflow");
    }
    if (command.wait) {
      return refuse("--wait cannot be combined with --watch");
    }
    if (command.dry_run) {
      return refuse("--watch cannot be combined with --dry-run");
    }
    if (command.server_dry_run) {
      return refuse("--watch cannot be combined with --server-dry-run");
    }
  }
  if (command.wait && command.dry_run) {
    return refuse("--wait cannot be combined with --dry-run");
  }
  if (command.wait && command.server_dry_run) {
    return refuse("--wait cannot be combined with --server-dry-run");
  }
  if (command.dry_run && command.output.empty()) {
    return refuse("--dry-run should have an output option");
  }
  if (command.dry_run && command.server_dry_run) {
    return refuse("--dry-run cannot be combined with --server-dry-run");
  }
  if (command.server_dry_run && command.output.empty()) {
    return refuse("--server-dry-run should have an output option");
  }
  return {};
}

/// What --log, --wait and --watch ask for, one after the other as upstream does.
int follow(const Context& context, const SubmitCommand& command,
           const std::vector<std::string>& names) {
  if (command.log) {
    for (const std::string& name : names) {
      LogsCommand logs;
      logs.workflow = name;
      logs.query.follow = true;
      if (const int code = print_logs(context, logs); code != 0) {
        return code;
      }
    }
  }
  if (!command.wait && !command.watch) {
    return 0;
  }
  WatchCommand watch;
  watch.names = names;
  watch.quiet = command.wait;
  watch.silent = command.wait && !command.output.empty() && command.output != "wide";
  watch.status = command.status;
  watch.node_field_selector = command.node_field_selector;
  return watch_workflows(context, watch);
}

/// The session to store in; for a dry run one to read from, null when there is nothing yet.
Result<std::unique_ptr<Session>> open_for(const Context& context, const SubmitCommand& command) {
  if (!command.dry_run && !command.server_dry_run) {
    return context.open_to_change();
  }
  auto session = context.open(false);
  if (!session && session.error().code == ErrorCode::not_found && command.from.empty()) {
    return std::unique_ptr<Session>();
  }
  return session;
}

}  // namespace

int submit_workflows(const Context& context, const SubmitCommand& given) {
  SubmitCommand command = given;
  if (const auto configured = take_config(context, command.config_file, command.run); !configured) {
    return report(context, configured.error());
  }
  if (command.from.empty() == command.files.empty()) {
    return report(context, Error{ErrorCode::invalid,
                                 command.from.empty() ? "no workflow found in given files"
                                                      : "cannot combine --from with file arguments",
                                 {}});
  }
  if (!command.watch && !command.status.empty()) {
    context.error << "warning: --status should only be used with --watch\n";
  }
  auto session = open_for(context, command);
  if (!session) {
    return report(context, session.error());
  }
  auto prepared = prepare(context,
                          {.files = command.files,
                           .from = command.from,
                           .scheduled_time = command.scheduled_time,
                           .submit = command.submit,
                           .strict = command.strict,
                           .workflow_defaults = defaults_of(command.run)},
                          session->get());
  if (!prepared) {
    return 1;
  }
  if (const auto checked = check_options(command, prepared->workflows.size()); !checked) {
    return report(context, checked.error());
  }
  if (prepared->workflows.empty()) {
    return report(context, Error{ErrorCode::invalid, "no workflow found in given files", {}});
  }
  if (command.dry_run || command.server_dry_run) {
    for (const Value& workflow : prepared->workflows) {
      print_workflow(context, workflow, command.output);
    }
    return 0;
  }
  std::vector<std::string> names;
  for (const Value& workflow : prepared->workflows) {
    names.push_back(full_name_of(workflow));
  }
  if (!prepared->supporting.empty()) {
    if (const auto stored = (*session)->store(std::move(prepared->supporting), Session::Write::put);
        !stored) {
      return report(context, stored.error());
    }
  }
  if (const auto stored = (*session)->store(std::move(prepared->workflows), Session::Write::create);
      !stored) {
    return report(context, Error(stored.error()).with_context("failed to submit workflow"));
  }
  for (const std::string& name : names) {
    const auto stored = (*session)->get(name);
    if (!stored) {
      return report(context, stored.error());
    }
    print_workflow(context, *stored, command.output);
  }
  context.out << std::flush;
  if (const auto started = (*session)->start(names, command.run); !started) {
    return report(context, started.error());
  }
  session->reset();
  return follow(context, command, names);
}

int run_in_background(const Context& context, const BackgroundCommand& given) {
  BackgroundCommand command = given;
  if (const auto configured = take_config(context, command.config_file, command.run); !configured) {
    return report(context, configured.error());
  }

  /// Nobody looks on; what it has to say goes into its log.
  class Silent final : public RunObserver {
   public:
    explicit Silent(std::ostream& out) : out_(out) {}

    void on_run(const RunLine& /*run*/) override {}

    void on_node(const NodeLine& /*node*/) override {}

    void on_log(const LogLine& /*line*/) override {}

    void on_notice(std::string_view text) override { out_ << text << std::endl; }

    void on_tick() override {}

    bool wants_ticks() const override { return false; }

   private:
    std::ostream& out_;
  };

  auto session = context.open_to_change();
  if (!session) {
    return report(context, session.error());
  }
  if (!(*session)->writable()) {
    // Somebody else was faster, and carries these out as well.
    const auto handed = (*session)->start(command.names, command.run);
    return handed ? 0 : report(context, handed.error());
  }
  Silent observer(context.out);
  RunRequest request;
  for (const std::string& name : command.names) {
    // Another program may have been faster.
    const auto workflow = (*session)->get(name);
    const Value* status = workflow ? doc::find(*workflow, "status") : nullptr;
    if (workflow && (status == nullptr || doc::find_string(*status, "finishedAt").empty())) {
      request.resume.push_back(name);
    }
  }
  request.options = command.run;
  request.with_nodes = false;
  const auto ended = (*session)->run(std::move(request), observer);
  return ended ? 0 : report(context, ended.error());
}

}  // namespace tiphys::cli
