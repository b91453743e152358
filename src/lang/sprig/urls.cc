/// URLs in parts and back.
#include "lang/expr/parts.h"
#include "lang/sprig/functions.h"
#include "lang/sprig/url.h"

#include <fmt/format.h>

namespace tiphys::lang::sprig {
namespace {

Answer url_parse(const Call& call) {
  const auto url = parse_url(call.text(0));
  if (!url) {
    return failure("unable to parse url: " + url.error().message);
  }
  TRY_VOID(call.run.charge_text(call.text(0).size()));
  const auto text = [](std::string value) { return ExprValue::string(std::move(value)); };
  return map_answer(call, {{"scheme", text(url->scheme)},
                           {"host", text(url->host)},
                           {"hostname", text(url->hostname())},
                           {"path", text(url->path)},
                           {"query", text(url->query)},
                           {"opaque", text(url->opaque)},
                           {"fragment", text(url->fragment)},
                           {"userinfo", text(url->user ? url->user->text() : "")}});
}

/// The text under a key, empty when there is none.
Result<std::string> text_member(const Call& call, std::string_view key) {
  const ExprMap* map = call[0].as_map();
  const auto value = map == nullptr ? std::nullopt : map->find(key);
  if (!value) {
    return "";
  }
  if (value->is_nil()) {
    return go_panic("invalid memory address or nil pointer dereference");
  }
  if (value->kind() != ExprKind::string) {
    return failure(fmt::format("unable to parse {} key, must be of type string, but {} found", key,
                               kind_name(*value)));
  }
  return std::string(value->as_string());
}

Answer url_join(const Call& call) {
  Url url;
  TRY(url.scheme, text_member(call, "scheme"));
  TRY(url.host, text_member(call, "host"));
  TRY(url.path, text_member(call, "path"));
  TRY(url.query, text_member(call, "query"));
  TRY(url.opaque, text_member(call, "opaque"));
  TRY(url.fragment, text_member(call, "fragment"));
  TRY(const std::string user, text_member(call, "userinfo"));
  if (!user.empty()) {
    const auto parsed = parse_url(fmt::format("proto://{}@host", user));
    if (!parsed) {
      return failure("unable to parse userinfo in dict: " + parsed.error().message);
    }
    url.user = parsed->user;
  }
  return text_answer(call, url.text());
}

constexpr Function kFunctions[] = {
    {"urlParse", "func(string) map[string]interface {}", url_parse},
    {"urlJoin", "func(map[string]interface {}) string", url_join},
};

}  // namespace

std::span<const Function> url_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig
