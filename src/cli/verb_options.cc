#include "cli/verb_table.h"

#include <map>

namespace tiphys::cli {

void add_output(CLI::App& verb, OutputFormat& output, const std::vector<std::string>& formats) {
  verb.add_option("-o,--output", output, "Output format")->check(CLI::IsMember(formats));
}

void add_strict(CLI::App& verb, bool& strict) {
  verb.add_flag("--strict,!--no-strict", strict,
                "Refuse unknown fields (default); --no-strict, --strict=false: ignore them");
}

void add_parameters(CLI::App& verb, std::vector<std::string>& parameters, const std::string& help) {
  verb.add_option("-p,--parameter", parameters, help)
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
}

void add_submit_options(CLI::App& verb, SubmitOptions& submit) {
  add_parameters(verb, submit.parameters, "Pass an input parameter; may be given again");
  verb.add_option("-f,--parameter-file", submit.parameter_file,
                  "Pass a file with input parameters (YAML or JSON)");
  verb.add_option("--entrypoint", submit.entrypoint, "Override the entrypoint");
  verb.add_option("--name", submit.name, "Override metadata.name");
  verb.add_option("--generate-name", submit.generate_name, "Override metadata.generateName");
  verb.add_option("-l,--labels", submit.labels,
                  "Comma separated labels to put on the workflow, a=b,c=d");
  verb.add_option("--serviceaccount", submit.service_account, "Override the service account");
  verb.add_option("--priority", submit.priority, "Override the workflow's priority");
}

void add_selectors(CLI::App& verb, ListCommand& filter) {
  verb.add_option("-l,--selector", filter.selector,
                  "Only workflows with these labels, such as a=b,c!=d or 'a in (b,c)'");
  verb.add_option("--field-selector", filter.field_selector,
                  "Only workflows with these fields: metadata.name, metadata.namespace, "
                  "status.phase, with = or !=");
}

void add_config(CLI::App& verb, std::string& file) {
  verb.add_option("--config", file,
                  "File with settings for all runs, in the shape of upstream's "
                  "workflow-controller-configmap");
}

void add_run_options(CLI::App& verb, RunOptions& run) {
  static const std::map<std::string, Isolation> kIsolation = {{"process", Isolation::process},
                                                              {"namespaces", Isolation::namespaces},
                                                              {"layer", Isolation::layer}};
  verb.add_option("-j,--jobs", run.slots,
                  "Steps at once of those that request nothing (default: one a core)")
      ->check(CLI::PositiveNumber);
  verb.add_flag("--reuse", run.reuse, "Do not run again what is known to give the same");
  verb.add_option("--artifact-key-format", run.artifact_key_format,
                  "Under which key artifacts are stored that name none, with tags (default: "
                  "{{workflow.name}}/{{pod.name}})");
  verb.add_option("--isolation", run.isolation,
                  "What steps run in: layer (a private writable layer over this machine's files), "
                  "namespaces, process")
      ->transform(CLI::CheckedTransformer(kIsolation).description("{layer,namespaces,process}"));
}

}  // namespace tiphys::cli
