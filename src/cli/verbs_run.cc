#include "cli/verb_table.h"

namespace tiphys::cli {
namespace {

constexpr const char* kFilesHelp = "Files or folders with manifests, - for standard input";
constexpr const char* kNamesHelp = "Workflows, @latest for the newest";
constexpr const char* kLogHelp = "Print the logs of the steps as they are written";

void add_run(VerbTable& table) {
  table.add<RunCommand>(
      "run", "Run workflows here and now", run_workflows, [](CLI::App& verb, RunCommand& command) {
        verb.add_option("files", command.files, kFilesHelp);
        verb.add_option("--resume", command.resume,
                        "Go on with runs that a crash or a stop cut short")
            ->allow_extra_args(false);
        verb.add_option("--from", command.from,
                        "Run a stored template, KIND/NAME such as workflowtemplate/mine");
        add_submit_options(verb, command.submit);
        add_output(verb, command.output, {"json", "yaml", "name", "wide"});
        verb.add_flag("--dry-run", command.dry_run, "Print the workflow instead of running it");
        verb.add_flag("--log", command.log, kLogHelp);
        add_strict(verb, command.strict);
        add_run_options(verb, command.run);
        add_config(verb, command.config_file);
      });
}

void add_submit(VerbTable& table) {
  table.add<SubmitCommand>(
      "submit", "Store workflows and have them run in the background", submit_workflows,
      [](CLI::App& verb, SubmitCommand& command) {
        verb.add_option("files", command.files, kFilesHelp);
        verb.add_option("--from", command.from,
                        "Submit from what is stored, KIND/NAME such as workflowtemplate/mine or "
                        "cronwf/mine");
        add_submit_options(verb, command.submit);
        verb.add_option("--scheduled-time", command.scheduled_time,
                        "With --from: the time the run counts as scheduled for (RFC 3339)");
        add_output(verb, command.output, {"name", "json", "yaml", "wide"});
        add_strict(verb, command.strict);
        verb.add_flag("-w,--wait", command.wait, "Wait until the workflows have ended");
        verb.add_flag("--watch", command.watch, "Watch the workflow until it has ended");
        verb.add_flag("--log", command.log, "Print the logs until the workflow has ended");
        verb.add_option("--status", command.status, "With --watch: only nodes in this phase");
        verb.add_option("--node-field-selector", command.node_field_selector,
                        "With --watch: only the nodes that match");
        verb.add_flag("--dry-run", command.dry_run,
                      "Print the workflow in the format of -o, store nothing");
        verb.add_flag("--server-dry-run", command.server_dry_run,
                      "The same, checked against what is stored");
        add_run_options(verb, command.run);
        add_config(verb, command.config_file);
      });
}

/// What retry and resubmit share.
template <class Command>
void add_rerun_options(CLI::App& verb, Command& command, const std::string& wait_help) {
  verb.add_option("names", command.names, kNamesHelp);
  add_selectors(verb, command.filter);
  add_parameters(verb, command.parameters, "Override an input parameter; may be given again");
  verb.add_flag("--log", command.log, kLogHelp);
  verb.add_flag("-w,--wait,--watch", command.wait, wait_help);
  add_output(verb, command.output, {"json", "yaml", "name", "wide"});
  add_run_options(verb, command.run);
  add_config(verb, command.config_file);
}

void add_retry(VerbTable& table) {
  table.add<RetryCommand>(
      "retry", "Run a workflow again from where it failed, or from chosen nodes", retry_workflows,
      [](CLI::App& verb, RetryCommand& command) {
        verb.add_flag("--restart-successful", command.request.restart_successful,
                      "Run again also the nodes that the node field selector matches, whatever "
                      "their phase");
        verb.add_option("--node-field-selector", command.request.node_field_selector,
                        "Nodes to run again with --restart-successful");
        add_rerun_options(verb, command,
                          "Accepted: retry always returns when the workflow has ended");
      });
}

void add_resubmit(VerbTable& table) {
  table.add<ResubmitCommand>(
      "resubmit", "Run workflows again as new ones", resubmit_workflows,
      [](CLI::App& verb, ResubmitCommand& command) {
        verb.add_flag("--memoized", command.request.memoized,
                      "Take over the steps that succeeded, of workflows that failed");
        verb.add_option("--node-field-selector", command.request.node_field_selector,
                        "Run these nodes and what depends on them, take over all else");
        verb.add_option("--priority", command.request.priority, "Override the workflow's priority");
        add_rerun_options(verb, command,
                          "Accepted: resubmit always returns when the workflow has ended");
      });
}

void add_plan_and_test(VerbTable& table) {
  table.add<PlanCommand>("plan", "Show the steps that will or may run, before any has",
                         plan_workflows, [](CLI::App& verb, PlanCommand& command) {
                           verb.add_option("files", command.files, kFilesHelp)->required();
                           add_submit_options(verb, command.submit);
                           add_output(verb, command.output, {"tree", "json", "dot"});
                           add_config(verb, command.config_file);
                           verb.add_flag("--all", command.all, "Show every element of long loops");
                           add_strict(verb, command.strict);
                         });
  table.add<TestCommand>(
      "test", "Run the unit tests of workflows, with stubs in place of steps", test_workflows,
      [](CLI::App& verb, TestCommand& command) {
        verb.add_option("files", command.files, "Files or folders with WorkflowTests")->required();
        verb.add_option("--only", command.only, "Only cases whose names contain this");
        add_config(verb, command.config_file);
      });
}

void add_lint(VerbTable& table) {
  table.add<LintCommand>(
      "lint", "Say what is wrong with manifests", lint_manifests,
      [](CLI::App& verb, LintCommand& command) {
        verb.add_option("files", command.files, kFilesHelp)->required();
        verb.add_option("-o,--output", command.output, "Output format")
            ->check(CLI::IsMember({"pretty", "simple"}));
        verb.add_option("--kinds", command.kinds,
                        "Which kinds to look at: workflows, workflowtemplates, cronworkflows, "
                        "clusterworkflowtemplates, all")
            ->delimiter(',');
        add_strict(verb, command.strict);
        verb.add_flag("--offline", command.offline,
                      "Look references up among the given files only, not among what is stored");
        add_config(verb, command.config_file);
      });
}

}  // namespace

void add_run_verbs(VerbTable table) {
  add_run(table);
  add_submit(table);
  add_retry(table);
  add_resubmit(table);
  add_plan_and_test(table);
  add_lint(table);
}

void add_hidden_verbs(VerbTable table) {
  table.add<BackgroundCommand>("background", "Carry out runs that were submitted",
                               run_in_background, [](CLI::App& verb, BackgroundCommand& command) {
                                 verb.add_option("names", command.names, "NAMESPACE/NAME");
                                 add_run_options(verb, command.run);
                                 add_config(verb, command.config_file);
                               });
}

}  // namespace tiphys::cli
