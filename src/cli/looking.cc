#include "cli/commands.h"
#include "cli/duration_text.h"
#include "cli/live_view.h"
#include "cli/manifests.h"
#include "cli/node_selector.h"
#include "cli/selection.h"
#include "cli/text/workflow_text.h"
#include "doc/yaml.h"

#include <boost/json.hpp>

#include <algorithm>
#include <ostream>
#include <set>

namespace tiphys::cli {
namespace {

using doc::Value;

/// Then a table without them would show two runs of one name as the same.
bool several_namespaces(const std::vector<Value>& workflows) {
  return std::ranges::any_of(workflows, [&](const Value& workflow) {
    return namespace_of(workflow) != namespace_of(workflows.front());
  });
}

/// When a run ended, as `argo wait` spells it: "2026-11-22 20:53:14 +0000 UTC".
std::string moment_text(const Value& status) {
  std::string text(doc::find_string(status, "finishedAt"));
  if (text.size() < 20) {
    return "unknown";
  }
  text[10] = ' ';
  return text.substr(0, 19) + " +0000 UTC";
}

void print_documents(const Context& context, const std::vector<Value>& documents,
                     const OutputFormat& output) {
  const Value all = documents.size() == 1 ? documents.front()
                                          : Value(doc::Array(documents.begin(), documents.end()));
  if (output == "json") {
    context.out << doc::to_json(all, {.escape_html = false, .sort_keys = true, .indent = 4})
                << "\n";
  } else {
    context.out << doc::to_yaml(all);
  }
}

/// Hands on the nodes that match, and what becomes of those that have matched.
class FilteredView final : public RunObserver {
 public:
  using Filter = std::function<bool(const Value& node)>;

  FilteredView(std::unique_ptr<RunObserver> view, Filter filter)
      : view_(std::move(view)), filter_(std::move(filter)) {}

  void on_run(const RunLine& run) override { view_->on_run(run); }

  void on_node(const NodeLine& node) override {
    const Value fields = doc::Object{{"name", node.name},
                                     {"displayName", node.display_name},
                                     {"templateName", node.template_name},
                                     {"phase", node.phase}};
    if (shown_.contains(node.index) || filter_(fields)) {
      shown_.insert(node.index);
      view_->on_node(node);
    }
  }

  void on_log(const LogLine& line) override { view_->on_log(line); }

  void on_notice(std::string_view text) override { view_->on_notice(text); }

  void on_tick() override { view_->on_tick(); }

  bool wants_ticks() const override { return view_->wants_ticks(); }

 private:
  std::unique_ptr<RunObserver> view_;
  Filter filter_;
  std::set<std::uint32_t> shown_;
};

/// The filter of --status or --node-field-selector; empty when neither is given.
Result<FilteredView::Filter> node_filter(const std::string& status, const std::string& selector) {
  if (!status.empty() && !selector.empty()) {
    return fail(ErrorCode::invalid, "cannot use both --status and --node-field-selector");
  }
  if (status.empty() && selector.empty()) {
    return FilteredView::Filter();
  }
  return parse_node_selector(status.empty() ? selector : "phase=" + status);
}

/// A Workflow with all its nodes, of which none is left out.
Result<Glance> whole(Session& session, const std::string& name) {
  TRY(auto workflow, session.get(name));
  return Glance{.workflow = std::move(workflow)};
}

}  // namespace

int get_workflows(const Context& context, const GetCommand& command) {
  DescribeOptions options;
  options.layout = command.output == "wide"    ? Layout::wide
                   : command.output == "short" ? Layout::brief
                                               : Layout::standard;
  options.style = {.color = context.color, .utf8 = context.utf8};
  options.now = context.surroundings.now();
  auto filter = node_filter(command.status, command.node_field_selector);
  if (!filter) {
    return report(context, filter.error());
  }
  options.filter = std::move(*filter);
  auto session = context.open(false);
  if (!session) {
    return report(context, session.error());
  }
  const bool wants_all =
      command.all_nodes || options.filter || command.output == "json" || command.output == "yaml";
  for (const std::string& name : command.names) {
    const auto glance = wants_all ? whole(**session, name) : (*session)->glance(name);
    if (!glance) {
      return report(context, glance.error());
    }
    if (command.output == "name") {
      context.out << name_of(glance->workflow) << "\n";
    } else if (command.output == "json" || command.output == "yaml") {
      print_documents(context, {glance->workflow}, command.output);
    } else {
      context.out << describe_workflow(glance->workflow, options);
      if (glance->shown < glance->nodes) {
        context.out << "\n"
                    << glance->shown << " of " << glance->nodes
                    << " nodes are shown; --all-nodes shows all, --status Failed those that "
                       "failed\n";
      }
    }
  }
  return 0;
}

int list_workflows(const Context& context, const ListCommand& command) {
  Context place = context;
  place.namespace_ = command.all_namespaces ? "" : context.namespace_;
  auto session = place.open(false);
  if (!session) {
    return report(context, session.error());
  }
  auto selected = select_workflows(
      **session, command, context,
      command.output == "json" || command.output == "yaml" || command.output == "wide");
  if (!selected) {
    return report(context, selected.error());
  }
  if (command.output == "json" || command.output == "yaml") {
    const Value all = doc::Array(selected->begin(), selected->end());
    context.out << (command.output == "json"
                        ? doc::to_json(all,
                                       {.escape_html = false, .sort_keys = true, .indent = 2}) +
                              "\n"
                        : doc::to_yaml(all));
  } else if (command.output == "name") {
    for (const Value& workflow : *selected) {
      context.out << name_of(workflow) << "\n";
    }
  } else {
    ListOptions options;
    options.wide = command.output == "wide";
    options.headers = !command.no_headers;
    options.namespaces = command.all_namespaces || several_namespaces(*selected);
    options.now = context.surroundings.now();
    context.out << workflow_table(*selected, options);
  }
  return 0;
}

int print_logs(const Context& context, const LogsCommand& command) {
  LogQuery query = command.query;
  query.workflow = command.workflow;
  query.node_or_pod = command.pod;
  if (!command.since.empty()) {
    const auto age = parse_age(command.since);
    if (!age) {
      return report(context, age.error());
    }
    query.since = context.surroundings.now() - *age;
  } else if (!command.since_time.empty()) {
    query.since = parse_moment(command.since_time);
    if (!query.since) {
      return report(context,
                    Error{ErrorCode::invalid,
                          "--since-time: expected an RFC 3339 time, found " + command.since_time,
                          {}});
    }
  }
  auto session = context.open(false);
  if (!session) {
    return report(context, session.error());
  }
  const auto done = (*session)->logs(query, [&](const LogLine& line) {
    context.out << log_line_text(line, command.timestamps, context.color) << "\n";
    if (query.follow) {
      context.out << std::flush;
    }
    return context.out.good();
  });
  return done ? 0 : report(context, done.error());
}

int watch_workflows(const Context& context, const WatchCommand& command) {
  const auto filter = node_filter(command.status, command.node_field_selector);
  if (!filter) {
    return report(context, filter.error());
  }
  auto session = context.open(false);
  if (!session) {
    return report(context, session.error());
  }
  int code = 0;
  for (const std::string& name : command.names) {
    ViewOptions view = view_options(context, **session);
    view.terminal = view.terminal && !command.quiet;
    view.node_lines = !command.quiet;
    view.tell_earlier = true;
    auto observer = make_view(context.out, std::move(view));
    if (*filter) {
      observer = std::make_unique<FilteredView>(std::move(observer), *filter);
    }
    const auto ended = (*session)->watch(name, *observer);
    observer.reset();
    if (!ended) {
      if (ended.error().code == ErrorCode::not_found && command.ignore_not_found) {
        continue;
      }
      return report(context, ended.error());
    }
    const Value* status = doc::find(*ended, "status");
    const std::string phase(status == nullptr ? std::string_view()
                                              : doc::find_string(*status, "phase"));
    if (command.quiet && !command.silent) {
      context.out << name_of(*ended) << " " << phase << " at " << moment_text(*status) << "\n";
    }
    code = phase == "Succeeded" ? code : 1;
  }
  return code;
}

int explain_node(const Context& context, const ExplainCommand& command) {
  auto session = context.open(false);
  if (!session) {
    return report(context, session.error());
  }
  const auto text = (*session)->explain(command.workflow, command.node);
  if (!text) {
    return report(context, text.error());
  }
  context.out << *text;
  return 0;
}

}  // namespace tiphys::cli
