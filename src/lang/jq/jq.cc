#include "lang/jq/jq.h"

#include "lang/gotext/gotext.h"
#include "lang/jq/compiler.h"
#include "lang/jq/json_form.h"
#include "lang/jq/machine.h"
#include "lang/jq/operators.h"
#include "lang/jq/parser.h"

#include <boost/json.hpp>

namespace tiphys::lang {
namespace {

constexpr std::size_t kMaximumFilter = std::size_t{256} << 10U;

jq::Value value_of(const doc::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return {};
    case boost::json::kind::bool_:
      return jq::Value::boolean(value.get_bool());
    case boost::json::kind::string:
      return jq::Value::text(std::string(doc::text_of(value.get_string())));
    case boost::json::kind::array: {
      jq::List list;
      for (const doc::Value& element : value.get_array()) {
        list.push_back(value_of(element));
      }
      return jq::Value::list(std::move(list));
    }
    case boost::json::kind::object: {
      jq::Map map;
      for (const auto& member : value.get_object()) {
        map.insert_or_assign(std::string(member.key().data(), member.key().size()),
                             value_of(member.value()));
      }
      return jq::Value::map(std::move(map));
    }
    default:
      return jq::Value::number(value.to_number<double>());
  }
}

doc::Value document_of(const jq::Value& value, jq::Budget& budget) {
  budget.spend(1);
  if (budget.exhausted()) {
    return {};
  }
  switch (value.kind()) {
    case jq::Kind::boolean:
      return value.as_boolean();
    case jq::Kind::text:
      budget.spend_bytes(value.as_text().size());
      return doc::Value(boost::json::string(value.as_text()));
    case jq::Kind::list: {
      doc::Array out;
      for (const jq::Value& element : value.as_list()) {
        out.push_back(document_of(element, budget));
      }
      return out;
    }
    case jq::Kind::map: {
      doc::Object out;
      for (const auto& [key, held] : value.as_map()) {
        out[key] = document_of(held, budget);
      }
      return out;
    }
    default: {
      const jq::Value number = value.normalized();
      if (number.is(jq::Kind::integer)) {
        return number.as_integer();
      }
      const auto converted = jq::to_double(number);
      return converted ? doc::Value(*converted) : doc::Value();
    }
  }
}

std::unexpected<Error> too_much() {
  return fail(ErrorCode::invalid, "the filter takes too many steps");
}

/// Hands every result to `take`, which may refuse it.
template <class Take>
Result<> for_each_result(const jq::Program& program, const doc::Value& input,
                         const JqOptions& options, Take take) {
  jq::Budget budget(options.steps);
  jq::Machine machine(program, value_of(input), budget, options.now);
  while (auto result = machine.next()) {
    if (!*result) {
      return fail(ErrorCode::invalid, result->error().shown());
    }
    TRY_VOID(take(**result, budget));
    if (budget.exhausted()) {
      return too_much();
    }
  }
  return {};
}

}  // namespace

Result<JqFilter> JqFilter::compile(std::string_view filter) {
  if (filter.size() > kMaximumFilter) {
    return fail(ErrorCode::invalid, "the filter is longer than 256 KiB");
  }
  TRY(const auto syntax, jq::parse_program(filter));
  TRY(auto program, jq::compile_program(*syntax));
  return JqFilter(std::make_shared<const jq::Program>(std::move(program)));
}

Result<std::vector<doc::Value>> JqFilter::run(const doc::Value& input,
                                              const JqOptions& options) const {
  std::vector<doc::Value> out;
  TRY_VOID(for_each_result(*program_, input, options,
                           [&out](const jq::Value& value, jq::Budget& budget) -> Result<> {
                             out.push_back(document_of(value, budget));
                             return {};
                           }));
  return out;
}

Result<std::string> JqFilter::text(const doc::Value& input, const JqOptions& options) const {
  std::string out;
  const auto take = [&out](const jq::Value& value, jq::Budget& budget) -> Result<> {
    if (value.is(jq::Kind::text)) {
      budget.spend_bytes(value.as_text().size());
      out += value.as_text();
    } else {
      auto json = jq::to_go_json(value, budget);
      if (!json) {
        return fail(ErrorCode::invalid, std::move(json).error());
      }
      out += *json;
    }
    out.push_back('\n');
    return {};
  };
  TRY_VOID(for_each_result(*program_, input, options, take));
  return std::string(trim_space(out));
}

}  // namespace tiphys::lang
