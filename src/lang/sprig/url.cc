#include "lang/sprig/url.h"

#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>

namespace tiphys::lang::sprig {
namespace {

/// The part of a URL a text stands in; each allows other characters.
enum class Part { path, user, host, zone, fragment };

std::unexpected<Error> failure(std::string message) {
  return fail(ErrorCode::invalid, std::move(message));
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

bool may_stand(char c, Part part) {
  if (is_unreserved(c)) {
    return true;
  }
  const auto one_of = [c](std::string_view set) { return set.find(c) != std::string_view::npos; };
  switch (part) {
    case Part::path:
      return one_of("$&+,/:;=@");
    case Part::user:
      return one_of("$&+,;=");
    case Part::host:
    case Part::zone:
      return one_of("!$&'()*+,;=:[]<>\"");
    case Part::fragment:
      return one_of("$&+,/:;=?@!()*");
  }
  return false;
}

std::string escape(std::string_view text, Part part) {
  std::string out;
  for (const char c : text) {
    out += may_stand(c, part) ? std::string(1, c)
                              : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The byte an escape at the front of the text stands for; the error shows the escape.
Result<char> unescape_byte(std::string_view text, Part part) {
  const bool whole = text.size() >= 3 && hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0;
  const auto bad = [&] {
    return failure(fmt::format("invalid URL escape {}", quote(text.substr(0, 3))));
  };
  if (!whole) {
    return bad();
  }
  const int byte = hex_digit(text[1]) * 16 + hex_digit(text[2]);
  const char c = static_cast<char>(byte);
  const bool percent = text.starts_with("%25");
  if (part == Part::host && byte < 0x80 && !percent) {
    return bad();
  }
  if (part == Part::zone && !percent && c != ' ' && !may_stand(c, Part::host)) {
    return bad();
  }
  return c;
}

Result<std::string> unescape(std::string_view text, Part part) {
  std::string out;
  while (!text.empty()) {
    const char c = text[0];
    if (c == '%') {
      TRY(const char byte, unescape_byte(text, part));
      out.push_back(byte);
      text.remove_prefix(3);
      continue;
    }
    const bool host = part == Part::host || part == Part::zone;
    if (host && static_cast<unsigned char>(c) < 0x80 && !may_stand(c, part)) {
      return failure(
          fmt::format("invalid character {} in host name", quote(std::string_view(&c, 1))));
    }
    out.push_back(c);
    text.remove_prefix(1);
  }
  return out;
}

bool is_port(std::string_view text) {
  return text.empty() || (text[0] == ':' && std::ranges::all_of(text.substr(1), [](char c) {
                            return c >= '0' && c <= '9';
                          }));
}

Result<> check_port(std::string_view port) {
  return is_port(port) ? Result<>()
                       : failure(fmt::format("invalid port {} after host", quote(port)));
}

/// [fe80::1%25en0]:80
Result<std::string> parse_literal(std::string_view text) {
  const std::size_t close = text.rfind(']');
  if (close == std::string_view::npos) {
    return failure("missing ']' in host");
  }
  const std::string_view port = text.substr(close + 1);
  TRY_VOID(check_port(port));
  const std::string_view name = text.substr(1, close - 1);
  const std::size_t zone = std::min(name.find("%25"), name.size());
  TRY(const std::string address, unescape(name.substr(0, zone), Part::host));
  TRY(const std::string zone_name, unescape(name.substr(zone), Part::zone));
  in6_addr parsed{};
  in_addr old{};
  if (inet_pton(AF_INET, address.c_str(), &old) == 1) {
    return failure("invalid IP-literal");
  }
  const bool good = address.find('\0') == std::string::npos && zone_name.size() != 1 &&
                    inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
  if (!good) {
    return failure(
        fmt::format("invalid host: ParseAddr({}): unable to parse IP", quote(address + zone_name)));
  }
  return fmt::format("[{}{}]{}", address, zone_name, port);
}

Result<std::string> parse_host(std::string_view scheme, std::string_view text) {
  const std::size_t bracket = text.rfind('[');
  if (bracket == 0) {
    return parse_literal(text);
  }
  if (bracket != std::string_view::npos) {
    return failure("invalid IP-literal");
  }
  // Only databases may name several hosts with ports.
  const bool strict = scheme == "http" || scheme == "https";
  const std::size_t colon = strict ? text.find(':') : text.rfind(':');
  if (colon != std::string_view::npos) {
    TRY_VOID(check_port(text.substr(colon)));
  }
  return unescape(text, Part::host);
}

Result<UserInfo> parse_user(std::string_view text) {
  const bool good = std::ranges::all_of(text, [](char c) {
    return is_unreserved(c) || std::string_view(":!$&'()*+,;=%@").find(c) != std::string_view::npos;
  });
  if (!good) {
    return failure("net/url: invalid userinfo");
  }
  UserInfo user;
  const std::size_t colon = text.find(':');
  TRY(user.name, unescape(text.substr(0, colon), Part::user));
  if (colon != std::string_view::npos) {
    TRY(user.password, unescape(text.substr(colon + 1), Part::user));
  }
  return user;
}

Result<> parse_authority(Url& url, std::string_view text) {
  const std::size_t at = text.rfind('@');
  const bool has_user = at != std::string_view::npos;
  TRY(url.host, parse_host(url.scheme, has_user ? text.substr(at + 1) : text));
  if (has_user) {
    TRY(url.user, parse_user(text.substr(0, at)));
  }
  return {};
}

/// Takes "scheme:" from the front.
Result<std::string> take_scheme(std::string_view& rest) {
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (c == ':') {
      if (i == 0) {
        return failure("missing protocol scheme");
      }
      std::string scheme = lower(rest.substr(0, i));
      rest.remove_prefix(i + 1);
      return scheme;
    }
    if (!letter && (!other || i == 0)) {
      break;
    }
  }
  return "";
}

/// All but the fragment.
Result<Url> parse_without_fragment(std::string_view rest) {
  const bool control = std::ranges::any_of(
      rest, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (control) {
    return failure("net/url: invalid control character in URL");
  }
  Url url;
  if (rest == "*") {
    url.path = "*";
    return url;
  }
  TRY(url.scheme, take_scheme(rest));
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
    url.query = std::string(rest.substr(mark + 1));
    rest = rest.substr(0, mark);
  }
  if (!rest.starts_with('/')) {
    if (!url.scheme.empty()) {
      url.opaque = std::string(rest);
      return url;
    }
    if (rest.substr(0, rest.find('/')).find(':') != std::string_view::npos) {
      return failure("first path segment in URL cannot contain colon");
    }
  }
  const bool authority =
      rest.starts_with("//") && (!url.scheme.empty() || !rest.starts_with("///"));
  if (authority) {
    rest.remove_prefix(2);
    const std::string_view text = rest.substr(0, rest.find('/'));
    rest.remove_prefix(text.size());
    TRY_VOID(parse_authority(url, text));
  }
  TRY(url.path, unescape(rest, Part::path));
  return url;
}

}  // namespace

std::string UserInfo::text() const {
  return escape(name, Part::user) + (password ? ":" + escape(*password, Part::user) : "");
}

std::string Url::hostname() const {
  std::string_view out = host;
  const std::size_t colon = out.rfind(':');
  if (colon != std::string_view::npos && is_port(out.substr(colon))) {
    out = out.substr(0, colon);
  }
  const bool literal = out.starts_with('[') && out.ends_with(']');
  return std::string(literal ? out.substr(1, out.size() - 2) : out);
}

std::string Url::text() const {
  std::string out = scheme.empty() ? "" : scheme + ":";
  if (!opaque.empty()) {
    out += opaque;
  } else {
    if (!scheme.empty() || !host.empty() || user) {
      out += !host.empty() || !path.empty() || user ? "//" : "";
      out += user ? user->text() + "@" : "";
      out += escape(host, Part::host);
    }
    const std::string escaped = path == "*" ? path : escape(path, Part::path);
    out += !escaped.empty() && escaped[0] != '/' && !host.empty() ? "/" : "";
    const bool looks_like_scheme =
        out.empty() && escaped.substr(0, escaped.find('/')).find(':') != std::string::npos;
    out += looks_like_scheme ? "./" : "";
    out += escaped;
  }
  out += query.empty() ? "" : "?" + query;
  out += fragment.empty() ? "" : "#" + escape(fragment, Part::fragment);
  return out;
}

Result<Url> parse_url(std::string_view text) {
  const auto shown = [](std::string_view part, const Error& error) {
    return failure(fmt::format("parse {}: {}", quote(part), error.message));
  };
  const std::size_t mark = text.find('#');
  const std::string_view front = text.substr(0, mark);
  auto url = parse_without_fragment(front);
  if (!url) {
    return shown(front, url.error());
  }
  if (mark != std::string_view::npos) {
    auto fragment = unescape(text.substr(mark + 1), Part::fragment);
    if (!fragment) {
      return shown(text, fragment.error());
    }
    url->fragment = *std::move(fragment);
  }
  return url;
}

}  // namespace tiphys::lang::sprig
