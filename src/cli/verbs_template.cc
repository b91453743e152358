#include "cli/verb_table.h"

namespace tiphys::cli {
namespace {

constexpr const char* kFilesHelp = "Files or folders with manifests, - for standard input";

struct Family {
  const char* name;
  const char* kind;
  const char* kinds;  ///< as `lint --kinds` names it
  const char* words;
};

template <class Options>
void add(VerbTable& table, CLI::App& family, const Family& of, const std::string& name,
         const std::string& help, int (*carry_out)(const Context&, const TemplateCommand&),
         Options options) {
  table.add_below<TemplateCommand>(family, name, help + of.words, carry_out,
                                   [&](CLI::App& verb, TemplateCommand& command) {
                                     command.kind = of.kind;
                                     options(verb, command);
                                   });
}

void add_family(VerbTable& table, const Family& of) {
  CLI::App& family = table.family(of.name, std::string("Keep ") + of.words);
  const bool cluster = std::string_view(of.kind) == "ClusterWorkflowTemplate";
  if (cluster) {
    family.alias("cwftmpl")->alias("cwft");
  }
  const auto written = [](CLI::App& verb, TemplateCommand& command) {
    verb.add_option("files", command.files, kFilesHelp)->required();
    add_output(verb, command.output, {"name", "json", "yaml", "wide"});
    add_strict(verb, command.strict);
  };
  add(table, family, of, "create", "Store ", create_templates, written);
  add(table, family, of, "update", "Replace stored ", update_templates, written);
  add(table, family, of, "get", "Show ", get_templates,
      [](CLI::App& verb, TemplateCommand& command) {
        verb.add_option("names", command.names, "Names")->required();
        add_output(verb, command.output, {"name", "json", "yaml", "wide"});
      });
  add(table, family, of, "list", "List ", list_templates,
      [&](CLI::App& verb, TemplateCommand& command) {
        add_output(verb, command.output, {"name", "wide"});
        verb.add_option("-l,--selector", command.selector, "Only those with these labels");
        if (!cluster) {
          verb.add_flag("-A,--all-namespaces", command.all_namespaces, "Of all namespaces");
        }
      });
  add(table, family, of, "delete", "Delete ", delete_templates,
      [](CLI::App& verb, TemplateCommand& command) {
        verb.add_option("names", command.names, "Names");
        verb.add_flag("--all", command.all, "All of them");
      });
  table.add_below<LintCommand>(family, "lint", std::string("Say what is wrong with ") + of.words,
                               lint_manifests, [&](CLI::App& verb, LintCommand& command) {
                                 command.kinds = {of.kinds};
                                 verb.add_option("files", command.files, kFilesHelp)->required();
                                 verb.add_option("-o,--output", command.output, "Output format")
                                     ->check(CLI::IsMember({"pretty", "simple"}));
                                 add_strict(verb, command.strict);
                               });
}

}  // namespace

void add_template_verbs(VerbTable table) {
  add_family(table, {"template", "WorkflowTemplate", "workflowtemplates", "workflow templates"});
  add_family(table, {"cluster-template", "ClusterWorkflowTemplate", "clusterworkflowtemplates",
                     "cluster workflow templates"});
}

}  // namespace tiphys::cli
