#include "lang/sprig/objects.h"

#include "lang/sprig/functions.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace tiphys::lang::sprig {
namespace {

class CertificateObject final : public ExprObject {
 public:
  explicit CertificateObject(Certificate certificate) : certificate_(std::move(certificate)) {}

  std::string go_name() const override { return "sprig.certificate"; }

  std::optional<ExprType> field_type(std::string_view name) const override {
    return name == "Cert" || name == "Key" ? std::optional(ExprType(ExprKind::string))
                                           : std::nullopt;
  }

  std::optional<ExprValue> field(std::string_view name) const override {
    if (!field_type(name)) {
      return std::nullopt;
    }
    return ExprValue::string(name == "Cert" ? certificate_.cert : certificate_.key);
  }

  doc::Value to_json() const override {
    doc::Value out(boost::json::object_kind);
    out.get_object()["Cert"] = certificate_.cert;
    out.get_object()["Key"] = certificate_.key;
    return out;
  }

  std::string text() const override {
    return fmt::format("{{{} {}}}", certificate_.cert, certificate_.key);
  }

  const Certificate& certificate() const { return certificate_; }

 private:
  Certificate certificate_;
};

class ErrorObject final : public ExprObject {
 public:
  std::string go_name() const override { return "error"; }

  std::optional<ExprType> field_type(std::string_view) const override { return std::nullopt; }

  std::optional<ExprValue> field(std::string_view) const override { return std::nullopt; }

  doc::Value to_json() const override { return doc::Value(boost::json::object_kind); }

  std::string text() const override { return "<nil>"; }
};

ExprValue uint64_value(std::uint64_t value) {
  return ExprValue::sized_integer(ExprKind::uint64, static_cast<std::int64_t>(value));
}

class VersionObject final : public ExprObject {
 public:
  explicit VersionObject(Version version) : version_(std::move(version)) {}

  std::string go_name() const override { return "*semver.Version"; }

  std::optional<ExprType> field_type(std::string_view name) const override {
    if (name == "Major" || name == "Minor" || name == "Patch") {
      return ExprType::function({}, false, {ExprKind::uint64});
    }
    if (name == "Prerelease" || name == "Metadata" || name == "Original" || name == "String") {
      return ExprType::function({}, false, {ExprKind::string});
    }
    const ExprType self = version_value({}).type();
    if (name == "Compare") {
      return ExprType::function({self}, false, {ExprKind::int_});
    }
    if (is_comparison(name)) {
      return ExprType::function({self}, false, {ExprKind::boolean});
    }
    return std::nullopt;
  }

  std::optional<ExprValue> field(std::string_view name) const override {
    const auto type = field_type(name);
    if (!type) {
      return std::nullopt;
    }
    return ExprValue::function(
        {std::string(name), *type,
         [method = std::string(name), version = version_](ExprRun&, ExprArguments arguments) {
           return call(version, method, arguments);
         }});
  }

  doc::Value to_json() const override { return doc::Value(version_.text()); }

  std::string text() const override { return version_.text(); }

  const Version& version() const { return version_; }

 private:
  static bool is_comparison(std::string_view name) {
    return name == "Equal" || name == "LessThan" || name == "GreaterThan" ||
           name == "LessThanEqual" || name == "GreaterThanEqual";
  }

  static Answer compared(const Version& version, std::string_view method, const ExprValue& other) {
    const auto* object = other.kind() == ExprKind::object
                             ? dynamic_cast<const VersionObject*>(other.as_object().get())
                             : nullptr;
    if (object == nullptr) {
      return go_panic("invalid memory address or nil pointer dereference");
    }
    const int order = compare(version, object->version());
    if (method == "Compare") {
      return ExprValue::integer(order);
    }
    const bool equal_too = method.ends_with("Equal");
    const bool holds = (equal_too && order == 0) || (method.starts_with("Less") && order < 0) ||
                       (method.starts_with("Greater") && order > 0);
    return ExprValue::boolean(holds);
  }

  static Answer call(const Version& version, std::string_view method, ExprArguments arguments) {
    if (!arguments.empty()) {
      return compared(version, method, arguments[0]);
    }
    if (method == "Major") {
      return uint64_value(version.major_number);
    }
    if (method == "Minor") {
      return uint64_value(version.minor_number);
    }
    if (method == "Patch") {
      return uint64_value(version.patch_number);
    }
    if (method == "Prerelease") {
      return ExprValue::string(version.prerelease);
    }
    if (method == "Metadata") {
      return ExprValue::string(version.metadata);
    }
    return ExprValue::string(method == "Original" ? version.original : version.text());
  }

  Version version_;
};

}  // namespace

ExprValue certificate_value(Certificate certificate) {
  return ExprValue::object(std::make_shared<const CertificateObject>(std::move(certificate)));
}

const Certificate& certificate_of(const ExprValue& value) {
  static const Certificate none;
  const auto* object = value.kind() == ExprKind::object
                           ? dynamic_cast<const CertificateObject*>(value.as_object().get())
                           : nullptr;
  return object == nullptr ? none : object->certificate();
}

ExprValue version_value(Version version) {
  return ExprValue::object(std::make_shared<const VersionObject>(std::move(version)));
}

ExprType error_type() { return ExprType::object(std::make_shared<const ErrorObject>()); }

}  // namespace tiphys::lang::sprig
