#include "lang/sprig/sprig.h"

#include "lang/sprig/functions.h"

#include <fmt/format.h>

#include <array>
#include <memory>

namespace tiphys::lang {
namespace {

constexpr std::array kTables = {
    sprig::text_functions,        sprig::word_functions,    sprig::splitting_functions,
    sprig::number_functions,      sprig::list_functions,    sprig::map_functions,
    sprig::default_functions,     sprig::json_functions,    sprig::date_functions,
    sprig::regex_functions,       sprig::version_functions, sprig::url_functions,
    sprig::path_functions,        sprig::digest_functions,  sprig::random_functions,
    sprig::certificate_functions,
};

}  // namespace

ExprValue sprig_functions(SprigContext context) {
  const auto shared = std::make_shared<const SprigContext>(std::move(context));
  std::vector<ExprFunction> functions;
  for (const auto table : kTables) {
    for (const sprig::Function& function : table()) {
      functions.push_back({std::string(function.name), sprig::parse_type(function.type),
                           [shared, body = function.body](ExprRun& run, ExprArguments arguments) {
                             return body({run, arguments, *shared});
                           }});
    }
  }
  return function_namespace(std::move(functions));
}

void add_sprig(ExprTable& table, SprigContext context) {
  table.set("sprig", sprig_functions(std::move(context)));
}

}  // namespace tiphys::lang
