#include "doc/validate.h"

#include "doc/json_words.h"

#include <boost/json.hpp>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

namespace tiphys::doc {
namespace {

constexpr std::size_t kMostUnknownFields = 100;
constexpr std::string_view kBadQuantity =
    "quantities must match the regular expression "
    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// What Go's decoder calls it.
std::string_view go_name(const Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return "null";
    case boost::json::kind::bool_:
      return "bool";
    case boost::json::kind::string:
      return "string";
    case boost::json::kind::array:
      return "array";
    case boost::json::kind::object:
      return "object";
    default:
      return "number";
  }
}

struct Expectation {
  std::string_view one;
  std::string_view many;
};

Expectation expectation_of(SchemaKind kind) {
  switch (kind) {
    case SchemaKind::text:
      return {"a string", "strings"};
    case SchemaKind::bytes:
      return {"a base64 string", "base64 strings"};
    case SchemaKind::boolean:
      return {"a boolean", "booleans"};
    case SchemaKind::integer:
      return {"an integer", "integers"};
    case SchemaKind::number:
    case SchemaKind::amount:
      return {"a number", "numbers"};
    case SchemaKind::list:
      return {"a list", "lists"};
    case SchemaKind::quantity:
      return {"a quantity", "quantities"};
    case SchemaKind::int_or_string:
      return {"an integer or a string", "integers or strings"};
    case SchemaKind::time:
    case SchemaKind::micro_time:
      return {"a time", "times"};
    case SchemaKind::duration:
      return {"a duration", "durations"};
    case SchemaKind::any_string:
      return {"a string, a number or a boolean", "strings, numbers or booleans"};
    case SchemaKind::plugin:
      return {"an object with exactly one key", "objects with exactly one key"};
    case SchemaKind::any:
      return {"a value", "values"};
    default:
      return {"an object", "objects"};
  }
}

std::string expected_text(const Shape& shape) {
  const SchemaKind kind = shape.kind();
  const Shape* elements = shape.elements();
  if (elements == nullptr && shape.type() != nullptr) {
    elements = shape.type()->elements();
  }
  if (elements != nullptr && kind == SchemaKind::list) {
    return "a list of " + std::string(expectation_of(elements->kind()).many);
  }
  if (elements != nullptr && kind == SchemaKind::map) {
    return "an object of " + std::string(expectation_of(elements->kind()).many);
  }
  return std::string(expectation_of(kind).one);
}

/// `^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$` with a suffix that exists (apimachinery
/// pkg/api/resource).
bool is_quantity(std::string_view text) {
  const std::size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  const std::size_t end = std::min(text.find_first_not_of("0123456789.", sign), text.size());
  const std::string_view number = text.substr(sign, end - sign);
  const std::string_view suffix = text.substr(end);
  if (number.find_first_of("0123456789") == std::string_view::npos ||
      std::ranges::count(number, '.') > 1) {
    return false;
  }
  constexpr std::array<std::string_view, 16> kSuffixes = {
      "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  if (std::ranges::find(kSuffixes, suffix) != kSuffixes.end()) {
    return true;
  }
  if (suffix.front() != 'e' && suffix.front() != 'E') {
    return false;
  }
  const std::size_t digits = suffix.size() > 1 && (suffix[1] == '-' || suffix[1] == '+') ? 2 : 1;
  return digits < suffix.size() &&
         suffix.find_first_not_of("0123456789", digits) == std::string_view::npos;
}

/// RFC 3339 with date, time and zone.
bool is_time(std::string_view text) {
  static const re2::RE2 kPattern(
      R"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d([.,]\d+)?([Zz]|[+-]\d\d:\d\d))");
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), kPattern);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  return out;
}

/// The field whose name is nearest to `name`, when it is near enough to have been meant.
std::string nearest_field(const Type& type, std::string_view name) {
  constexpr std::size_t kLongestName = 64;
  std::size_t best = name.size() > kLongestName ? 0 : 1 + name.size() / 4;
  std::string nearest;
  for (const Field& field : type.fields()) {
    const std::size_t distance = best == 0 ? 1 : edit_distance(lower(name), lower(field.name));
    if (distance < best || (distance == best && best > 0 && nearest.empty() && distance <= 2)) {
      best = distance;
      nearest = field.name;
    }
  }
  return nearest;
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text, false);
  return out;
}

bool is_number(const Value& value) {
  return value.is_int64() || value.is_uint64() || value.is_double();
}

double as_double(const Value& value) {
  return value.is_int64()    ? static_cast<double>(value.get_int64())
         : value.is_uint64() ? static_cast<double>(value.get_uint64())
                             : value.get_double();
}

class Validator {
 public:
  Validator(const Positions* positions, const ValidateOptions& options)
      : positions_(positions), options_(options) {}

  std::vector<Fault> run(const Type& type, const Value& document) {
    const auto root = positions_ == nullptr ? Positions::kNone : positions_->root();
    if (!document.is_object()) {
      add(FaultKind::wrong_type,
          "expected an object of kind " + type.name() + ", found " +
              std::string(words_for(document)),
          root);
      faults_.back().go_message = "json: cannot unmarshal " + std::string(go_name(document)) +
                                  " into Go value of type " +
                                  type.home().substr(type.home().find('/') + 1) + "." + type.name();
      return std::move(faults_);
    }
    check_structure(type, nullptr, document.get_object(), root);
    return std::move(faults_);
  }

 private:
  /// Puts a step on the path while it lives.
  class Step {
   public:
    Step(Validator& validator, std::string_view key) : Step(validator, key, key) {}

    Step(Validator& validator, std::string_view key, std::string_view go_key)
        : validator_(validator),
          path_size_(validator.path_.size()),
          go_size_(validator.go_path_.size()) {
      validator_.path_ += path_size_ == 0 ? "" : ".";
      validator_.path_ += key;
      validator_.go_path_ += go_size_ == 0 ? "" : ".";
      validator_.go_path_ += go_key;
    }

    Step(Validator& validator, std::size_t index)
        : validator_(validator),
          path_size_(validator.path_.size()),
          go_size_(validator.go_path_.size()) {
      validator_.path_ += "[" + std::to_string(index) + "]";
    }

    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

    ~Step() {
      validator_.path_.resize(path_size_);
      validator_.go_path_.resize(go_size_);
    }

   private:
    Validator& validator_;
    std::size_t path_size_;
    std::size_t go_size_;
  };

  Positions::Node member(Positions::Node node, std::string_view key) const {
    return positions_ == nullptr ? Positions::kNone : positions_->member(node, key);
  }

  Positions::Node element(Positions::Node node, std::size_t index) const {
    return positions_ == nullptr ? Positions::kNone : positions_->element(node, index);
  }

  void add(FaultKind kind, const std::string& what, Positions::Node node) {
    const Position position = positions_ == nullptr ? Position() : positions_->value_of(node);
    faults_.push_back(
        {kind, path_, path_.empty() ? what : path_ + ": " + what, {}, false, {}, position});
  }

  void add_wrong_type(const Shape& shape, const Value& value, Positions::Node node,
                      std::string detail = {}) {
    std::string found(words_for(value));
    if (!detail.empty()) {
      found = std::move(detail);
    }
    add(FaultKind::wrong_type, "expected " + expected_text(shape) + ", found " + found, node);
    std::string shown(go_name(value));
    if (is_number(value) && shape.kind() == SchemaKind::integer) {
      shown += " " + to_json(value);
    }
    faults_.back().stops_go = shape.type() != nullptr && shape.kind() != SchemaKind::structure;
    faults_.back().go_message = shape.kind() == SchemaKind::quantity
                                    ? std::string(kBadQuantity)
                                    : "json: cannot unmarshal " + shown + " into Go struct field " +
                                          go_struct_ + "." + go_path_ + " of type " +
                                          decoded_type(shape);
  }

  /// What Go decodes the field into; types that decode themselves do it in their own way.
  static std::string decoded_type(const Shape& shape) {
    switch (shape.kind()) {
      case SchemaKind::int_or_string:
        return "int32";
      case SchemaKind::time:
      case SchemaKind::micro_time:
      case SchemaKind::duration:
        return "string";
      case SchemaKind::list:
        return shape.type() != nullptr ? "[]map[string]interface {}" : shape.go_type();
      default:
        return shape.go_type();
    }
  }

  void add_unknown(const Type& type, std::string_view key, Positions::Node node) {
    if (!options_.unknown_fields || unknown_fields_ >= kMostUnknownFields) {
      return;
    }
    ++unknown_fields_;
    const Step step(*this, key);
    faults_.push_back({FaultKind::unknown_field,
                       path_,
                       "unknown field \"" + path_ + "\"",
                       {},
                       false,
                       nearest_field(type, key),
                       positions_ == nullptr ? Position() : positions_->key_of(node)});
  }

  static std::vector<const boost::json::key_value_pair*> sorted_members(const Object& object) {
    std::vector<const boost::json::key_value_pair*> members;
    members.reserve(object.size());
    for (const auto& entry : object) {
      members.push_back(&entry);
    }
    std::ranges::sort(members, {},
                      [](const auto* entry) { return std::string_view(entry->key()); });
    return members;
  }

  void check_structure(const Type& type, const Shape* place, const Object& object,
                       Positions::Node node) {
    for (const auto* entry : sorted_members(object)) {
      const std::string_view key = entry->key();
      const auto child = member(node, key);
      const Field* field = type.field(key);
      if (field == nullptr) {
        add_unknown(type, key, child);
        continue;
      }
      const Step step(*this, key, field->go_path);
      go_struct_ = type.name();
      check(*field->shape, entry->value(), child);
    }
    check_required(type, place, object, node);
  }

  void check_required(const Type& type, const Shape* place, const Object& object,
                      Positions::Node node) {
    if (!options_.rules) {
      return;
    }
    const auto require = [&](std::string_view name) {
      const Value* value = object.if_contains({name.data(), name.size()});
      if (value == nullptr || value->is_null()) {
        const Step step(*this, name);
        add(FaultKind::missing, "Required value", node);
      }
    };
    const Value* exactly = place == nullptr ? nullptr : place->fact("requiredKeys");
    if (exactly != nullptr && exactly->is_array()) {
      for (const Value& name : exactly->get_array()) {
        require(text_of(name.as_string()));
      }
      return;
    }
    for (const Field& field : type.fields()) {
      if (field.required) {
        require(field.name);
      }
    }
  }

  void check(const Shape& shape, const Value& value, Positions::Node node) {
    if (value.is_null()) {
      return;
    }
    switch (shape.kind()) {
      case SchemaKind::structure:
        if (!value.is_object()) {
          add_wrong_type(shape, value, node);
          return;
        }
        check_structure(*shape.type(), &shape, value.get_object(), node);
        return;
      case SchemaKind::list:
        check_list(shape, value, node);
        return;
      case SchemaKind::map:
        check_map(shape, value, node);
        return;
      default:
        if (check_scalar(shape, value, node) && options_.rules) {
          check_rules(shape, value, node);
        }
    }
  }

  void check_list(const Shape& shape, const Value& value, Positions::Node node) {
    const Shape* elements =
        shape.elements() != nullptr ? shape.elements() : shape.type()->elements();
    const bool nested = shape.type() != nullptr;
    if (!value.is_array()) {
      add_wrong_type(shape, value, node);
      return;
    }
    const std::string holder = go_struct_;
    const Array& array = value.get_array();
    for (std::size_t i = 0; i < array.size(); ++i) {
      const Step step(*this, i);
      go_struct_ = holder;
      if (elements != nullptr && !(nested && array[i].is_null())) {
        check(*elements, array[i], element(node, i));
      }
    }
    if (options_.rules) {
      check_limit(shape, "minItems", "maxItems", array.size(), "items", node);
    }
  }

  void check_map(const Shape& shape, const Value& value, Positions::Node node) {
    if (!value.is_object()) {
      add_wrong_type(shape, value, node);
      return;
    }
    const std::string holder = go_struct_;
    for (const auto* entry : sorted_members(value.get_object())) {
      const std::string_view key = entry->key();
      // Go's decoder does not name the keys of maps.
      const std::string go_path = go_path_;
      const Step step(*this, key);
      go_path_ = go_path;
      go_struct_ = holder;
      check(*shape.elements(), entry->value(), member(node, key));
    }
  }

  bool check_integer(const Shape& shape, const Value& value, Positions::Node node) {
    if (value.is_double() || !is_number(value)) {
      add_wrong_type(shape, value, node, is_number(value) ? to_json(value) : std::string());
      return false;
    }
    const bool fits =
        value.is_int64() &&
        (!shape.is_32_bit() || (value.get_int64() >= std::numeric_limits<std::int32_t>::min() &&
                                value.get_int64() <= std::numeric_limits<std::int32_t>::max()));
    if (!fits) {
      add_wrong_type(shape, value, node, to_json(value) + ", which does not fit");
    }
    return fits;
  }

  bool matches(const Shape& shape, const Value& value) const {
    switch (shape.kind()) {
      case SchemaKind::text:
      case SchemaKind::bytes:
      case SchemaKind::duration:
        return value.is_string();
      case SchemaKind::boolean:
        return value.is_bool();
      case SchemaKind::number:
        return is_number(value);
      case SchemaKind::int_or_string:
        return value.is_string() || value.is_int64();
      case SchemaKind::any_string:
        return value.is_string() || value.is_bool() || is_number(value);
      case SchemaKind::object:
      case SchemaKind::plugin:
        return value.is_object();
      case SchemaKind::quantity:
        return value.is_string() || is_number(value);
      case SchemaKind::time:
      case SchemaKind::micro_time:
        return value.is_string();
      default:
        return true;
    }
  }

  bool check_scalar(const Shape& shape, const Value& value, Positions::Node node) {
    const SchemaKind kind = shape.kind();
    if (kind == SchemaKind::integer) {
      return check_integer(shape, value, node);
    }
    if (!matches(shape, value)) {
      add_wrong_type(shape, value, node);
      return false;
    }
    if (kind == SchemaKind::plugin && value.get_object().size() != 1) {
      const std::string count = std::to_string(value.get_object().size());
      add_wrong_type(shape, value, node, "one with " + count);
      faults_.back().go_message = "expected exactly one key, got " + count;
      return false;
    }
    if (kind == SchemaKind::quantity && value.is_string() &&
        !is_quantity(text_of(value.get_string()))) {
      add_wrong_type(shape, value, node, to_json(value));
      return false;
    }
    if ((kind == SchemaKind::time || kind == SchemaKind::micro_time) &&
        !is_time(text_of(value.get_string()))) {
      add_wrong_type(shape, value, node, to_json(value));
      return false;
    }
    return true;
  }

  void check_limit(const Shape& shape, std::string_view lowest, std::string_view highest,
                   std::size_t size, std::string_view unit, Positions::Node node) {
    const std::string suffix = " " + std::string(unit);
    if (const Value* least = shape.fact(lowest);
        least != nullptr && least->is_int64() &&
        size < static_cast<std::size_t>(least->get_int64())) {
      add(FaultKind::not_allowed, "Invalid value: should have at least " + to_json(*least) + suffix,
          node);
    }
    if (const Value* most = shape.fact(highest);
        most != nullptr && most->is_int64() && size > static_cast<std::size_t>(most->get_int64())) {
      add(FaultKind::not_allowed,
          "Too many: " + std::to_string(size) + ": must have at most " + to_json(*most) + suffix,
          node);
    }
  }

  void check_rules(const Shape& shape, const Value& value, Positions::Node node) {
    if (value.is_string()) {
      check_text_rules(shape, text_of(value.get_string()), node);
    }
    if (!is_number(value)) {
      if (shape.kind() == SchemaKind::amount) {
        add(FaultKind::not_allowed, "expected a number, found " + std::string(words_for(value)),
            node);
      }
      return;
    }
    const double number = as_double(value);
    if (const Value* least = shape.fact("minimum");
        least != nullptr && number < as_double(*least)) {
      add(FaultKind::not_allowed,
          "Invalid value: " + to_json(value) + ": should be greater than or equal to " +
              to_json(*least),
          node);
    }
    if (const Value* most = shape.fact("maximum"); most != nullptr && number > as_double(*most)) {
      add(FaultKind::not_allowed,
          "Invalid value: " + to_json(value) + ": should be less than or equal to " +
              to_json(*most),
          node);
    }
  }

  void check_text_rules(const Shape& shape, std::string_view text, Positions::Node node) {
    if (const Value* allowed = shape.fact("enum"); allowed != nullptr && allowed->is_array()) {
      std::string names;
      bool found = false;
      for (const Value& name : allowed->get_array()) {
        found = found || (name.is_string() && text_of(name.get_string()) == text);
        names += (names.empty() ? "" : ", ") + to_json(name);
      }
      if (!found) {
        add(FaultKind::not_allowed,
            "Unsupported value: " + quoted(text) + ": supported values: " + names, node);
      }
    }
    const std::string_view pattern = shape.text_fact("pattern");
    const auto piece = [](std::string_view view) {
      return re2::StringPiece(view.data(), view.size());
    };
    if (!pattern.empty() &&
        !re2::RE2::PartialMatch(piece(text), re2::RE2(piece(pattern), re2::RE2::Quiet))) {
      add(FaultKind::not_allowed,
          "Invalid value: " + quoted(text) + ": should match '" + std::string(pattern) + "'", node);
    }
    const auto characters = static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
    check_limit(shape, "minLength", "maxLength", characters, "characters", node);
  }

  const Positions* positions_;
  const ValidateOptions& options_;
  std::string path_;
  /// The path without list indexes, and the struct that holds the current field: how Go tells it.
  std::string go_path_;
  std::string go_struct_;
  std::size_t unknown_fields_ = 0;
  std::vector<Fault> faults_;
};

}  // namespace

std::vector<Fault> validate(const Type& type, const Value& document, const Positions* positions,
                            const ValidateOptions& options) {
  return Validator(positions, options).run(type, document);
}

Result<> strict_decoding_result(const std::vector<Fault>& faults) {
  std::string wrong_type;
  bool stopped = false;
  std::string unknown;
  std::vector<FieldError> causes;
  for (const Fault& fault : faults) {
    if (fault.kind != FaultKind::wrong_type && fault.kind != FaultKind::unknown_field) {
      continue;
    }
    if (fault.kind == FaultKind::unknown_field) {
      unknown += (unknown.empty() ? "" : ", ") + fault.message;
    } else if (wrong_type.empty() || (fault.stops_go && !stopped)) {
      wrong_type = fault.go_message;
      stopped = fault.stops_go;
    }
    causes.push_back({fault.path, fault.message, fault.position});
  }
  if (causes.empty()) {
    return {};
  }
  std::string message = wrong_type.empty() ? "strict decoding error: " + unknown : wrong_type;
  return std::unexpected(Error{ErrorCode::bad_request, std::move(message), std::move(causes)});
}

}  // namespace tiphys::doc
