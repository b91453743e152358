#pragma once
/// The verbs as functions of their options. command_line.cc fills the options; each verb prints to
/// the streams it is handed and returns the exit code.

#include "cli/session.h"

#include <iosfwd>

namespace tiphys::cli {

struct ViewOptions;

/// "", "json", "yaml", "name", "wide", "short".
using OutputFormat = std::string;

/// What every verb gets.
struct Context {
  const Surroundings& surroundings;
  std::ostream& out;
  std::ostream& error;
  std::string state_directory;
  /// As given with -n; empty = any when looking, "default" when running.
  std::string namespace_;
  bool color = false;
  bool utf8 = true;
  bool live = true;  ///< the terminal can redraw lines

  Result<std::unique_ptr<Session>> open(bool writable) const {
    return surroundings.open_session({state_directory, namespace_, writable});
  }

  /// For verbs that change what is stored: with the right to write, or while another program has
  /// it, without; changes then go through that program.
  Result<std::unique_ptr<Session>> open_to_change() const;
};

/// How a run is shown to a person here and now.
ViewOptions view_options(const Context& context, Session& session);

/// Prints a workflow in a format; "" and "wide" are sheets for people.
void print_workflow(const Context& context, const doc::Value& workflow, const OutputFormat& output);

/// Prints an error the way all verbs do, its causes below it, and returns 1.
int report(const Context& context, const Error& error);

struct SubmitOptions {
  std::vector<std::string> parameters;  ///< NAME=VALUE
  std::string parameter_file;
  std::string entrypoint;
  std::string name;
  std::string generate_name;
  std::string labels;  ///< a=b,c=d
  std::string service_account;
  std::optional<int> priority;
};

struct RunCommand {
  std::vector<std::string> files;
  std::vector<std::string> resume;
  std::string from;  ///< KIND/NAME
  SubmitOptions submit;
  OutputFormat output;
  bool dry_run = false;
  bool log = false;
  bool strict = true;
  std::string config_file;
  RunOptions run;
};

struct PlanCommand {
  std::vector<std::string> files;
  SubmitOptions submit;
  OutputFormat output = "tree";  ///< "tree", "json", "dot"
  bool all = false;
  bool strict = true;
  std::string config_file;
};

struct TestCommand {
  std::vector<std::string> files;
  std::string only;  ///< part of the names of the cases to run
  std::string config_file;
};

struct SubmitCommand {
  std::vector<std::string> files;
  std::string from;  ///< KIND/NAME
  std::string scheduled_time;
  SubmitOptions submit;
  OutputFormat output;
  bool strict = true;
  bool wait = false;
  bool watch = false;
  bool log = false;
  std::string status;
  std::string node_field_selector;
  bool dry_run = false;
  bool server_dry_run = false;
  std::string config_file;
  RunOptions run;
};

struct BackgroundCommand {
  std::vector<std::string> names;  ///< NAMESPACE/NAME
  std::string config_file;
  RunOptions run;
};

struct GetCommand {
  bool all_nodes = false;
  std::vector<std::string> names;
  OutputFormat output;
  std::string status;
  std::string node_field_selector;
};

struct ListCommand {
  OutputFormat output;
  bool running = false;
  bool completed = false;
  bool resubmitted = false;
  bool all_namespaces = false;
  bool no_headers = false;
  std::vector<std::string> status;
  std::string since;
  std::string older;
  std::string prefix;
  std::string selector;
  std::string field_selector;
  std::int64_t chunk_size = 0;  ///< accepted

  /// By label or field, as verbs take that also take names.
  bool selects() const { return !selector.empty() || !field_selector.empty(); }
};

struct LogsCommand {
  std::string workflow;
  std::string pod;
  LogQuery query;
  std::string since;
  std::string since_time;
  bool timestamps = false;
};

struct WatchCommand {
  std::vector<std::string> names;
  bool ignore_not_found = false;
  bool quiet = false;   ///< wait instead of watch
  bool silent = false;  ///< and print nothing
  std::string status;
  std::string node_field_selector;
};

struct ControlCommand {
  std::vector<std::string> names;
  ListCommand filter;
  Control control;
  std::vector<std::string> output_parameters;
  bool dry_run = false;
};

struct RetryCommand {
  std::vector<std::string> names;
  ListCommand filter;
  bool wait = true;  ///< accepted
  RetryRequest request;
  std::vector<std::string> parameters;
  OutputFormat output;
  bool log = false;
  std::string config_file;
  RunOptions run;
};

struct ResubmitCommand {
  std::vector<std::string> names;
  ListCommand filter;
  bool wait = true;  ///< accepted
  ResubmitRequest request;
  std::vector<std::string> parameters;
  OutputFormat output;
  bool log = false;
  std::string config_file;
  RunOptions run;
};

struct DeleteCommand {
  std::vector<std::string> names;
  ListCommand filter;
  bool all = false;
  bool dry_run = false;
  bool force = false;  ///< without its artifacts' removal
};

struct LintCommand {
  std::vector<std::string> files;
  std::string output = "pretty";
  std::vector<std::string> kinds;
  bool strict = true;
  bool offline = false;
  std::string config_file;
};

/// The templates of one kind.
struct TemplateCommand {
  std::string kind = "WorkflowTemplate";
  std::vector<std::string> files;
  std::vector<std::string> names;
  OutputFormat output;
  std::string selector;
  bool all_namespaces = false;
  bool all = false;
  bool strict = true;

  bool cluster_scoped() const { return kind == "ClusterWorkflowTemplate"; }
};

struct CopyCommand {
  std::string workflow;
  std::string destination;
  std::string artifact_name;
  std::string node_id;
  std::string template_name;
  std::string path = "{namespace}/{workflowName}/{nodeId}/outputs/{artifactName}";
};

struct ExplainCommand {
  std::string workflow;
  std::string node;
};

int run_workflows(const Context& context, const RunCommand& command);
int plan_workflows(const Context& context, const PlanCommand& command);
int test_workflows(const Context& context, const TestCommand& command);
int submit_workflows(const Context& context, const SubmitCommand& command);
int run_in_background(const Context& context, const BackgroundCommand& command);
int resubmit_workflows(const Context& context, const ResubmitCommand& command);
int create_templates(const Context& context, const TemplateCommand& command);
int update_templates(const Context& context, const TemplateCommand& command);
int get_templates(const Context& context, const TemplateCommand& command);
int list_templates(const Context& context, const TemplateCommand& command);
int delete_templates(const Context& context, const TemplateCommand& command);
int get_workflows(const Context& context, const GetCommand& command);
int list_workflows(const Context& context, const ListCommand& command);
int print_logs(const Context& context, const LogsCommand& command);
int watch_workflows(const Context& context, const WatchCommand& command);
int control_workflows(const Context& context, const ControlCommand& command);
int retry_workflows(const Context& context, const RetryCommand& command);
int delete_workflows(const Context& context, const DeleteCommand& command);
int lint_manifests(const Context& context, const LintCommand& command);
int copy_artifacts(const Context& context, const CopyCommand& command);
int explain_node(const Context& context, const ExplainCommand& command);

}  // namespace tiphys::cli
