#include "app/engine_verbs.h"

namespace tiphys::app {

Result<workflows::Event> event_of(const cli::Control& control) {
  switch (control.verb) {
    case cli::Control::Verb::stop:
      return workflows::Stop{control.message, control.node_field_selector};
    case cli::Control::Verb::terminate:
      return workflows::Terminate{};
    case cli::Control::Verb::suspend:
      return workflows::Suspend{};
    case cli::Control::Verb::resume:
      return workflows::Resume{control.node_field_selector, control.message};
    case cli::Control::Verb::set:
      break;
  }
  workflows::SetNodes set;
  set.node_field_selector = control.node_field_selector;
  set.message = control.message;
  set.output_parameters = control.parameters;
  if (!control.phase.empty()) {
    set.phase = workflows::node_phase_of(control.phase);
    if (!set.phase) {
      return fail(
          ErrorCode::invalid,
          "--phase: expected Succeeded, Failed, Error, Skipped or Omitted, found " + control.phase);
    }
  }
  return set;
}

}  // namespace tiphys::app
