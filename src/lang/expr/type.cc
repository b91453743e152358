#include "lang/expr/value.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::lang {

struct ExprType::Parts {
  std::vector<ExprType> parts = {};
  std::vector<ExprType> results = {};
  bool variadic = false;
  std::optional<std::size_t> length = {};
  std::shared_ptr<const ExprObject> prototype = {};
};

ExprType ExprType::list_of(ExprType element) {
  ExprType out(ExprKind::list);
  if (element.kind_ != ExprKind::any) {
    out.parts_ = std::make_shared<Parts>(Parts{.parts = {std::move(element)}});
  }
  return out;
}

ExprType ExprType::array_of(ExprType element, std::size_t length) {
  ExprType out(ExprKind::list);
  out.parts_ = std::make_shared<Parts>(Parts{.parts = {std::move(element)}, .length = length});
  return out;
}

ExprType ExprType::map_of(ExprType key, ExprType element) {
  ExprType out(ExprKind::map);
  if (key.kind_ != ExprKind::string || element.kind_ != ExprKind::any) {
    out.parts_ = std::make_shared<Parts>(Parts{.parts = {std::move(key), std::move(element)}});
  }
  return out;
}

ExprType ExprType::function(std::vector<ExprType> parameters, bool variadic,
                            std::vector<ExprType> results) {
  ExprType out(ExprKind::function);
  out.parts_ = std::make_shared<Parts>(
      Parts{.parts = std::move(parameters), .results = std::move(results), .variadic = variadic});
  return out;
}

ExprType ExprType::object(std::shared_ptr<const ExprObject> prototype) {
  ExprType out(ExprKind::object);
  out.parts_ = std::make_shared<Parts>(Parts{.prototype = std::move(prototype)});
  return out;
}

std::optional<ExprType> ExprType::field_type(std::string_view name) const {
  return kind_ == ExprKind::object ? parts_->prototype->field_type(name) : std::nullopt;
}

ExprType ExprType::element() const {
  if (!parts_ || (kind_ != ExprKind::list && kind_ != ExprKind::map)) {
    return ExprKind::any;
  }
  return parts_->parts.back();
}

ExprType ExprType::key() const {
  return parts_ && kind_ == ExprKind::map ? parts_->parts.front() : ExprType(ExprKind::string);
}

const std::vector<ExprType>& ExprType::parameters() const {
  static const std::vector<ExprType> none;
  return parts_ ? parts_->parts : none;
}

const std::vector<ExprType>& ExprType::results() const {
  static const std::vector<ExprType> none;
  return parts_ ? parts_->results : none;
}

bool ExprType::variadic() const { return parts_ && parts_->variadic; }

std::optional<std::size_t> ExprType::array_length() const {
  return parts_ ? parts_->length : std::nullopt;
}

namespace {

std::string function_name(const ExprType& type) {
  std::string out = "func(";
  const auto& parameters = type.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    out += i == 0 ? "" : ", ";
    const bool rest = type.variadic() && i + 1 == parameters.size();
    out += rest ? "..." + parameters[i].element().go_name() : parameters[i].go_name();
  }
  out += ")";
  const auto& results = type.results();
  if (results.size() == 1) {
    out += " " + results[0].go_name();
  } else if (results.size() > 1) {
    out += " (";
    for (std::size_t i = 0; i < results.size(); ++i) {
      out += (i == 0 ? "" : ", ") + results[i].go_name();
    }
    out += ")";
  }
  return out;
}

std::string_view simple_name(ExprKind kind) {
  switch (kind) {
    case ExprKind::any:
      return "interface {}";
    case ExprKind::nil:
      return "<nil>";
    case ExprKind::boolean:
      return "bool";
    case ExprKind::int_:
      return "int";
    case ExprKind::int8:
      return "int8";
    case ExprKind::int16:
      return "int16";
    case ExprKind::int32:
      return "int32";
    case ExprKind::int64:
      return "int64";
    case ExprKind::uint:
      return "uint";
    case ExprKind::uint8:
      return "uint8";
    case ExprKind::uint16:
      return "uint16";
    case ExprKind::uint32:
      return "uint32";
    case ExprKind::uint64:
      return "uint64";
    case ExprKind::float32:
      return "float32";
    case ExprKind::float64:
      return "float64";
    case ExprKind::string:
      return "string";
    case ExprKind::time:
      return "time.Time";
    case ExprKind::duration:
      return "time.Duration";
    default:
      return "";
  }
}

}  // namespace

std::string ExprType::go_name() const {
  switch (kind_) {
    case ExprKind::list:
      return array_length() ? fmt::format("[{}]{}", *array_length(), element().go_name())
                            : "[]" + element().go_name();
    case ExprKind::map:
      return fmt::format("map[{}]{}", key().go_name(), element().go_name());
    case ExprKind::function:
      return function_name(*this);
    case ExprKind::object:
      return parts_->prototype->go_name();
    default:
      return std::string(simple_name(kind_));
  }
}

bool ExprType::operator==(const ExprType& other) const {
  if (kind_ != other.kind_) {
    return false;
  }
  if (parts_ == other.parts_) {
    return true;
  }
  switch (kind_) {
    case ExprKind::list:
      return array_length() == other.array_length() && element() == other.element();
    case ExprKind::map:
      return key() == other.key() && element() == other.element();
    case ExprKind::function:
      return variadic() == other.variadic() &&
             std::ranges::equal(parameters(), other.parameters()) &&
             std::ranges::equal(results(), other.results());
    case ExprKind::object:
      return go_name() == other.go_name();
    default:
      return true;
  }
}

}  // namespace tiphys::lang
