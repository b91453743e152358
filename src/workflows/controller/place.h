#pragma once
/// Where a step stands, run after run: its node's name without what differs between runs, which are
/// the run's own name and the values of loop items. "wf.a[0].call(3:x)(1)" stands at
/// "a[0].call(3)(1)".

#include <string>
#include <string_view>

namespace tiphys::workflows {

/// One level of a place: a node's name without its boundary's, "[0].call(3:x)(1)" as
/// "[0].call(3)(1)".
std::string without_item(std::string_view part);

}  // namespace tiphys::workflows
