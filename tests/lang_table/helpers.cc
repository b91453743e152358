#include "lang/gotext/gotext.h"
#include "lang/tags/artifact.h"
#if __has_include("lang/sprig/sprig.h")
#include "lang/sprig/sprig.h"
#endif
#include "reader.h"

#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace tiphys::table {
namespace {

class MachineZones final : public lang::ZoneFiles {
 public:
  std::optional<std::string> load(std::string_view name) const override {
    std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
    if (!file) {
      return std::nullopt;
    }
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
};

/// The value of a marked number such as {"$uint8": 200}.
std::optional<lang::ExprValue> marked(std::string_view mark, const doc::Value& value) {
  using lang::ExprKind;
  static constexpr std::pair<std::string_view, ExprKind> kKinds[] = {
      {"$int8", ExprKind::int8},     {"$int16", ExprKind::int16},   {"$int32", ExprKind::int32},
      {"$int64", ExprKind::int64},   {"$uint", ExprKind::uint},     {"$uint8", ExprKind::uint8},
      {"$uint16", ExprKind::uint16}, {"$uint32", ExprKind::uint32}, {"$uint64", ExprKind::uint64}};
  if (mark == "$artifact") {
    return lang::artifact_value(value);
  }
  if (mark == "$float32") {
    return lang::ExprValue::float32(value.to_number<float>());
  }
  for (const auto& [name, kind] : kKinds) {
    if (mark == name) {
      return lang::ExprValue::sized_integer(kind, value.to_number<std::int64_t>());
    }
  }
  return std::nullopt;
}

lang::ExprValue map_value(const doc::Object& object) {
  if (object.size() == 1) {
    const auto& member = *object.begin();
    if (auto value = marked({member.key().data(), member.key().size()}, member.value())) {
      return *std::move(value);
    }
  }
  lang::ExprEntries entries;
  for (const auto& member : object) {
    entries.emplace(std::string(member.key()), go_value(member.value()));
  }
  return lang::ExprValue::map(std::move(entries));
}

}  // namespace

std::string text_at(const doc::Value& value, std::string_view key) {
  return std::string(doc::find_string(value, key));
}

std::int64_t integer_at(const doc::Value& value, std::string_view key) {
  const doc::Value* held = doc::find(value, key);
  return held != nullptr && held->is_int64() ? held->get_int64() : 0;
}

bool flag_at(const doc::Value& value, std::string_view key) {
  const doc::Value* held = doc::find(value, key);
  return held != nullptr && held->is_bool() && held->get_bool();
}

doc::Value text_value(std::string_view text) {
  const std::string valid = lang::valid_utf8(text);
  return doc::Value(boost::json::string_view(valid.data(), valid.size()));
}

Outcome failed(const Error& error) { return std::unexpected(error.message); }

lang::ExprValue go_value(const doc::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return {};
    case boost::json::kind::bool_:
      return lang::ExprValue::boolean(value.get_bool());
    case boost::json::kind::int64:
      return lang::ExprValue::integer(value.get_int64());
    case boost::json::kind::uint64:
      return lang::ExprValue::sized_integer(lang::ExprKind::uint64,
                                            static_cast<std::int64_t>(value.get_uint64()));
    case boost::json::kind::double_:
      return lang::ExprValue::number(value.get_double());
    case boost::json::kind::string:
      return lang::ExprValue::string(std::string(doc::text_of(value.get_string())));
    case boost::json::kind::array: {
      lang::ExprList list;
      for (const doc::Value& element : value.get_array()) {
        list.push_back(go_value(element));
      }
      return lang::ExprValue::list(std::move(list));
    }
    case boost::json::kind::object:
      return map_value(value.get_object());
  }
  return {};
}

lang::ExprRuntime runtime() {
  static const MachineZones kZones;
  return {.now = [] { return lang::Instant{.unix_seconds = 1'700'000'000}; }, .zones = &kZones};
}

const lang::ExprEnvironment& functions() {
#if __has_include("lang/sprig/sprig.h")
  static const lang::ExprTable kSprig = [] {
    lang::ExprTable table;
    lang::add_sprig(table, {.now = {},
                            .random =
                                [](std::span<unsigned char> bytes) {
                                  std::ranges::fill(bytes, static_cast<unsigned char>(7));
                                },
                            .lookup_host = {}});
    return table;
  }();
  static const lang::ExprOverlay kAll(lang::argo_functions(), kSprig);
  return kAll;
#else
  return lang::argo_functions();
#endif
}

}  // namespace tiphys::table
