#include "lang/jq/compiler.h"

#include "lang/gotext/gotext.h"
#include "lang/jq/operators.h"
#include "lang/jq/parser.h"
#include "lang/jq/prelude.h"

#include <algorithm>
#include <map>
#include <optional>

namespace tiphys::lang::jq {
namespace {

using Made = Result<NodePointer>;

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::invalid, std::move(message));
}

template <class... Children>
NodePointer make(Node::Kind kind, Children... children) {
  auto out = std::make_unique<Node>();
  out->kind = kind;
  (out->children.push_back(std::move(children)), ...);
  return out;
}

NodePointer constant(Value value) {
  NodePointer out = make(Node::Kind::constant);
  out->constant = std::move(value);
  return out;
}

template <class... Arguments>
NodePointer native(std::string_view name, Arguments... arguments) {
  NodePointer out = make(Node::Kind::native, std::move(arguments)...);
  out->native = find_native(name, sizeof...(arguments));
  CHECK(out->native != nullptr, "a native function is missing");
  return out;
}

std::string_view operator_function(std::string_view symbol) {
  static constexpr std::pair<std::string_view, std::string_view> kFunctions[] = {
      {"+", "_add"},          {"-", "_subtract"},   {"*", "_multiply"},  {"/", "_divide"},
      {"%", "_modulo"},       {"==", "_equal"},     {"!=", "_notequal"}, {">", "_greater"},
      {"<", "_less"},         {">=", "_greatereq"}, {"<=", "_lesseq"},   {"+=", "_add"},
      {"-=", "_subtract"},    {"*=", "_multiply"},  {"/=", "_divide"},   {"%=", "_modulo"},
      {"//=", "_alternative"}};
  for (const auto& [name, function] : kFunctions) {
    if (name == symbol) {
      return function;
    }
  }
  return "";
}

std::string_view format_function(std::string_view format) {
  static constexpr std::pair<std::string_view, std::string_view> kFunctions[] = {
      {"", "tostring"},   {"@text", "tostring"},    {"@json", "tojson"},       {"@html", "_tohtml"},
      {"@uri", "_touri"}, {"@urid", "_tourid"},     {"@csv", "_tocsv"},        {"@tsv", "_totsv"},
      {"@sh", "_tosh"},   {"@base64", "_tobase64"}, {"@base64d", "_tobase64d"}};
  for (const auto& [name, function] : kFunctions) {
    if (name == format) {
      return function;
    }
  }
  return "";
}

/// A name that is known at a place of the program.
struct Entry {
  enum class Kind { variable, closure, label, function } kind = Kind::variable;
  std::string name;
  std::size_t arity = 0;
  /// How long the chain was with the binding, or when the function was defined.
  std::size_t depth = 0;
  const Function* function = nullptr;
};

class Compiler {
 public:
  Result<Program> run(const Syntax& syntax) {
    TRY(program_.root, compile(syntax));
    return std::move(program_);
  }

 private:
  /// Forgets at its end what was bound and named since.
  class Scope {
   public:
    explicit Scope(Compiler& compiler)
        : compiler_(compiler), entries_(compiler.entries_.size()), depth_(compiler.depth_) {}

    ~Scope() {
      compiler_.entries_.resize(entries_);
      compiler_.depth_ = depth_;
    }

    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Compiler& compiler_;
    std::size_t entries_;
    std::size_t depth_;
  };

  void bind(Entry::Kind kind, std::string name) {
    entries_.push_back({.kind = kind, .name = std::move(name), .depth = ++depth_});
  }

  std::size_t hops_to(const Entry& entry) const { return depth_ - entry.depth; }

  template <class Matches>
  const Entry* find(Matches matches) const {
    const auto found = std::find_if(entries_.rbegin(), entries_.rend(), matches);
    return found == entries_.rend() ? nullptr : &*found;
  }

  Made compile(const Syntax& syntax) {
    const Scope scope(*this);
    return compile_here(syntax);
  }

  Made compile_here(const Syntax& syntax);
  Made compile_index(const Syntax& syntax);
  Made compile_slice(const Syntax& syntax);
  Made compile_optional(const Syntax& syntax);
  Made compile_interpolation(const Syntax& syntax);
  Made compile_format(std::string_view format, std::optional<NodePointer> input);
  Made compile_unary(const Syntax& syntax);
  Made compile_binary(const Syntax& syntax);
  Made compile_update(const Syntax& syntax);
  Made compile_variable(const std::string& name);
  Made compile_call(const Syntax& syntax);
  Made compile_call_of(const Function& function, std::size_t hops, const Syntax& syntax);
  Made compile_builtin(const Syntax& syntax);
  Made compile_object(const Syntax& syntax);
  Made compile_conditional(const Syntax& syntax);
  Made compile_bind(const Syntax& syntax);
  Made compile_loop(const Syntax& syntax);
  Result<const Function*> define(const Definition& definition, bool is_global);
  Result<const Function*> prelude_function(std::string_view name, std::size_t arity);

  Result<std::vector<PatternPlan>> plan_patterns(const std::vector<Pattern>& patterns);
  Result<> plan(const Pattern& pattern, PatternPlan& plan);
  Result<> plan_member(const Pattern::Member& member, std::size_t container, PatternPlan& plan);
  void store(PatternPlan& plan, const std::string& variable);
  void load(PatternPlan& plan, std::size_t depth);

  Program program_;
  std::vector<Entry> entries_;
  std::size_t depth_ = 0;
  std::map<std::pair<std::string, std::size_t>, const Function*> globals_;
};

/// The key of an index or slice that is written down, for paths that are constant.
std::optional<Value> constant_key(const Syntax& syntax) {
  if (syntax.kind == Syntax::Kind::constant &&
      (syntax.constant.is(Kind::text) || syntax.constant.is_number())) {
    return syntax.constant;
  }
  if (syntax.kind == Syntax::Kind::unary && syntax.children[0]->kind == Syntax::Kind::constant &&
      syntax.children[0]->constant.is_number()) {
    return syntax.name == "+" ? syntax.children[0]->constant
                              : negate(syntax.children[0]->constant).value_or(Value());
  }
  return std::nullopt;
}

std::optional<Value> constant_slice(const Syntax& syntax) {
  Map ends{{"start", Value()}, {"end", Value()}};
  for (const auto& [place, name] : {std::pair{1U, "start"}, std::pair{2U, "end"}}) {
    if (syntax.children[place] != nullptr) {
      const auto end = constant_key(*syntax.children[place]);
      if (!end) {
        return std::nullopt;
      }
      ends.insert_or_assign(name, *end);
    }
  }
  return Value::map(std::move(ends));
}

/// The path that `.a[0].b` names; nothing when something in it is computed.
bool constant_path(const Syntax& syntax, List& path) {
  if (syntax.kind == Syntax::Kind::group) {
    return constant_path(*syntax.children[0], path);
  }
  if (syntax.kind != Syntax::Kind::index && syntax.kind != Syntax::Kind::slice) {
    return false;
  }
  const Syntax& target = *syntax.children[0];
  if (target.kind != Syntax::Kind::identity && !constant_path(target, path)) {
    return false;
  }
  auto key = syntax.kind == Syntax::Kind::index ? constant_key(*syntax.children[1])
                                                : constant_slice(syntax);
  if (!key) {
    return false;
  }
  path.push_back(*std::move(key));
  return true;
}

Made Compiler::compile_here(const Syntax& syntax) {
  using Kind = Syntax::Kind;
  const auto child = [&](std::size_t index) { return compile(*syntax.children[index]); };
  switch (syntax.kind) {
    case Kind::missing:
      return refuse("missing query (try \".\")");
    case Kind::identity:
      return make(Node::Kind::identity);
    case Kind::recurse: {
      Syntax call;
      call.kind = Kind::call;
      call.name = "recurse";
      return compile_call(call);
    }
    case Kind::constant:
      return constant(syntax.constant);
    case Kind::interpolation:
      return compile_interpolation(syntax);
    case Kind::format:
      return compile_format(syntax.name, std::nullopt);
    case Kind::index:
      return compile_index(syntax);
    case Kind::slice:
      return compile_slice(syntax);
    case Kind::iterate: {
      TRY(NodePointer target, child(0));
      return make(Node::Kind::iterate, std::move(target));
    }
    case Kind::optional:
      return compile_optional(syntax);
    case Kind::group:
      return child(0);
    case Kind::call:
      return compile_call(syntax);
    case Kind::variable:
      return compile_variable(syntax.name);
    case Kind::object:
      return compile_object(syntax);
    case Kind::array: {
      if (syntax.children.empty()) {
        return constant(Value::list({}));
      }
      TRY(NodePointer elements, child(0));
      return make(Node::Kind::collect, std::move(elements));
    }
    case Kind::unary:
      return compile_unary(syntax);
    case Kind::conditional:
      return compile_conditional(syntax);
    case Kind::attempt: {
      TRY(NodePointer body, child(0));
      NodePointer out = make(Node::Kind::attempt, std::move(body));
      if (syntax.children.size() > 1) {
        TRY(NodePointer handler, child(1));
        out->children.push_back(std::move(handler));
      }
      return out;
    }
    case Kind::reduce:
    case Kind::foreach:
      return compile_loop(syntax);
    case Kind::label: {
      bind(Entry::Kind::label, syntax.name);
      TRY(NodePointer body, child(0));
      return make(Node::Kind::label, std::move(body));
    }
    case Kind::break_to: {
      const Entry* label = find([&](const Entry& entry) {
        return entry.kind == Entry::Kind::label && entry.name == syntax.name;
      });
      if (label == nullptr) {
        return refuse("label not defined: " + syntax.name);
      }
      NodePointer out = make(Node::Kind::break_to);
      out->hops = hops_to(*label);
      out->name = syntax.name;
      return out;
    }
    case Kind::pipe:
    case Kind::comma: {
      TRY(NodePointer left, child(0));
      TRY(NodePointer right, child(1));
      return make(syntax.kind == Kind::pipe ? Node::Kind::pipe : Node::Kind::comma, std::move(left),
                  std::move(right));
    }
    case Kind::binary:
      return compile_binary(syntax);
    case Kind::bind:
      return compile_bind(syntax);
    case Kind::define: {
      TRY_VOID(define(*syntax.definition, false));
      return compile_here(*syntax.children[0]);
    }
  }
  return refuse("the filter cannot be compiled");
}

Made Compiler::compile_index(const Syntax& syntax) {
  TRY(NodePointer target, compile(*syntax.children[0]));
  if (auto key = constant_key(*syntax.children[1])) {
    NodePointer out = make(Node::Kind::index, std::move(target));
    out->constant = *std::move(key);
    return out;
  }
  TRY(NodePointer key, compile(*syntax.children[1]));
  return native("_index", std::move(target), std::move(key));
}

Made Compiler::compile_slice(const Syntax& syntax) {
  TRY(NodePointer target, compile(*syntax.children[0]));
  if (auto key = constant_slice(syntax)) {
    NodePointer out = make(Node::Kind::index, std::move(target));
    out->constant = *std::move(key);
    return out;
  }
  NodePointer from = constant(Value());
  NodePointer to = constant(Value());
  if (syntax.children[1] != nullptr) {
    TRY(from, compile(*syntax.children[1]));
  }
  if (syntax.children[2] != nullptr) {
    TRY(to, compile(*syntax.children[2]));
  }
  return native("_slice", std::move(target), std::move(to), std::move(from));
}

/// Only the last step is tried: `.a.b?` fails where `.a` does. What stands in its brackets is then
/// evaluated on the value before it.
Made Compiler::compile_optional(const Syntax& syntax) {
  Syntax& inner = *syntax.children[0];
  const bool is_step = inner.kind == Syntax::Kind::index || inner.kind == Syntax::Kind::slice ||
                       inner.kind == Syntax::Kind::iterate;
  if (!is_step || inner.children[0]->kind == Syntax::Kind::identity) {
    TRY(NodePointer body, compile(inner));
    return make(Node::Kind::attempt, std::move(body));
  }
  TRY(NodePointer target, compile(*inner.children[0]));
  auto identity = std::make_unique<Syntax>();
  identity->kind = Syntax::Kind::identity;
  std::swap(inner.children[0], identity);
  Made step = compile(inner);
  std::swap(inner.children[0], identity);
  TRY(NodePointer body, std::move(step));
  return make(Node::Kind::pipe, std::move(target), make(Node::Kind::attempt, std::move(body)));
}

/// `format` of the input, or of what `input` gives.
Made Compiler::compile_format(std::string_view format, std::optional<NodePointer> input) {
  const std::string_view function = format_function(format);
  NodePointer out = function.empty()
                        ? native("format", constant(Value::text(std::string(format.substr(1)))))
                        : native(function);
  return input ? make(Node::Kind::pipe, *std::move(input), std::move(out)) : std::move(out);
}

Made Compiler::compile_interpolation(const Syntax& syntax) {
  NodePointer out;
  for (const SyntaxPointer& part : syntax.children) {
    TRY(NodePointer piece, compile(*part));
    if (part->kind != Syntax::Kind::constant) {
      TRY(piece, compile_format(syntax.name, std::move(piece)));
    }
    out = out == nullptr ? std::move(piece) : native("_add", std::move(out), std::move(piece));
  }
  return out == nullptr ? constant(Value::text("")) : std::move(out);
}

Made Compiler::compile_unary(const Syntax& syntax) {
  if (auto value = constant_key(syntax)) {
    return constant(*std::move(value));
  }
  TRY(NodePointer inner, compile(*syntax.children[0]));
  return make(Node::Kind::pipe, std::move(inner), native(syntax.name == "+" ? "_plus" : "_negate"));
}

Made Compiler::compile_binary(const Syntax& syntax) {
  const std::string& symbol = syntax.name;
  const bool compares = symbol == "==" || symbol == "!=" || symbol == "<=" || symbol == ">=";
  if (symbol.back() == '=' && !compares) {
    return compile_update(syntax);
  }
  TRY(NodePointer left, compile(*syntax.children[0]));
  TRY(NodePointer right, compile(*syntax.children[1]));
  if (symbol == "//") {
    return make(Node::Kind::alternative, std::move(left), std::move(right));
  }
  if (symbol != "and" && symbol != "or") {
    return native(operator_function(symbol), std::move(left), std::move(right));
  }
  NodePointer second = make(Node::Kind::conditional, std::move(right),
                            constant(Value::boolean(true)), constant(Value::boolean(false)));
  return symbol == "and" ? make(Node::Kind::conditional, std::move(left), std::move(second),
                                constant(Value::boolean(false)))
                         : make(Node::Kind::conditional, std::move(left),
                                constant(Value::boolean(true)), std::move(second));
}

Made Compiler::compile_update(const Syntax& syntax) {
  const Syntax& target = *syntax.children[0];
  const Syntax& value = *syntax.children[1];
  if (syntax.name == "=" || syntax.name == "|=") {
    List path;
    if (syntax.name == "=" && constant_path(target, path)) {
      TRY(NodePointer wanted, compile(value));
      NodePointer out = make(Node::Kind::assign_constant, std::move(wanted));
      out->constant = Value::list(std::move(path));
      return out;
    }
    TRY(NodePointer paths, compile(target));
    TRY(NodePointer wanted, compile(value));
    return make(syntax.name == "=" ? Node::Kind::assign : Node::Kind::modify, std::move(paths),
                std::move(wanted));
  }
  // The operand is computed once, on the whole input.
  TRY(NodePointer operand, compile(value));
  const Scope scope(*this);
  bind(Entry::Kind::variable, "");
  TRY(NodePointer paths, compile(target));
  NodePointer bound = make(Node::Kind::variable);
  NodePointer update =
      make(Node::Kind::modify, std::move(paths),
           native(operator_function(syntax.name), make(Node::Kind::identity), std::move(bound)));
  NodePointer out = make(Node::Kind::bind, std::move(operand), std::move(update));
  out->patterns.emplace_back();
  return out;
}

Made Compiler::compile_variable(const std::string& name) {
  const Entry* entry =
      find([&](const Entry& one) { return one.kind == Entry::Kind::variable && one.name == name; });
  if (entry != nullptr) {
    NodePointer out = make(Node::Kind::variable);
    out->hops = hops_to(*entry);
    return out;
  }
  // There is no environment here.
  return name == "$ENV" ? Made(constant(Value::map({}))) : refuse("variable not defined: " + name);
}

Made Compiler::compile_object(const Syntax& syntax) {
  NodePointer out = make(Node::Kind::object);
  for (std::size_t i = 0; i < syntax.children.size(); i += 2) {
    const Syntax& key = *syntax.children[i];
    const SyntaxPointer& value = syntax.children[i + 1];
    NodePointer made_key;
    NodePointer made_value;
    if (key.kind == Syntax::Kind::variable && value == nullptr) {
      made_key = constant(Value::text(key.name.substr(1)));
      TRY(made_value, compile(key));
    } else {
      TRY(made_key, compile(key));
      if (value != nullptr) {
        TRY(made_value, compile(*value));
      }
    }
    out->children.push_back(std::move(made_key));
    out->children.push_back(std::move(made_value));
  }
  return out;
}

Made Compiler::compile_conditional(const Syntax& syntax) {
  TRY(NodePointer condition, compile(*syntax.children[0]));
  TRY(NodePointer then, compile(*syntax.children[1]));
  NodePointer other = make(Node::Kind::identity);
  if (syntax.children.size() > 2) {
    TRY(other, compile(*syntax.children[2]));
  }
  return make(Node::Kind::conditional, std::move(condition), std::move(then), std::move(other));
}

// Calls.

Result<const Function*> Compiler::define(const Definition& definition, bool is_global) {
  program_.functions.push_back(std::make_unique<Function>());
  Function* function = program_.functions.back().get();
  function->name = definition.name;
  function->is_global = is_global;
  if (is_global) {
    globals_.emplace(std::pair(definition.name, definition.parameters.size()), function);
  } else {
    entries_.push_back({.kind = Entry::Kind::function,
                        .name = definition.name,
                        .arity = definition.parameters.size(),
                        .depth = depth_,
                        .function = function});
  }
  const Scope scope(*this);
  for (const std::string& parameter : definition.parameters) {
    const bool is_value = parameter.starts_with('$');
    function->parameters.push_back({parameter, is_value});
    bind(Entry::Kind::closure, is_value ? parameter.substr(1) : parameter);
  }
  for (const std::string& parameter : definition.parameters) {
    if (parameter.starts_with('$')) {
      bind(Entry::Kind::variable, parameter);
    }
  }
  TRY(function->body, compile(*definition.body));
  return function;
}

Result<const Function*> Compiler::prelude_function(std::string_view name, std::size_t arity) {
  if (const auto known = globals_.find(std::pair(std::string(name), arity));
      known != globals_.end()) {
    return known->second;
  }
  const auto entries = prelude();
  const auto entry = std::ranges::find_if(
      entries, [&](const PreludeEntry& one) { return one.name == name && one.arity == arity; });
  if (entry == entries.end()) {
    return nullptr;
  }
  auto syntax = parse_program(entry->source);
  CHECK(syntax.has_value(), entry->source);
  // Nothing of the program is seen from there.
  std::vector<Entry> outside = std::exchange(entries_, {});
  const std::size_t depth = std::exchange(depth_, 0);
  auto defined = define(*(*syntax)->definition, true);
  entries_ = std::move(outside);
  depth_ = depth;
  return defined;
}

Made Compiler::compile_call_of(const Function& function, std::size_t hops, const Syntax& syntax) {
  NodePointer out = make(Node::Kind::call);
  out->function = &function;
  out->hops = hops;
  for (const SyntaxPointer& argument : syntax.children) {
    TRY(NodePointer made, compile(*argument));
    out->children.push_back(std::move(made));
  }
  return out;
}

Made Compiler::compile_call(const Syntax& syntax) {
  const std::size_t arity = syntax.children.size();
  const Entry* entry = find([&](const Entry& one) {
    return one.name == syntax.name && ((one.kind == Entry::Kind::function && one.arity == arity) ||
                                       (one.kind == Entry::Kind::closure && arity == 0));
  });
  if (entry != nullptr && entry->kind == Entry::Kind::closure) {
    NodePointer out = make(Node::Kind::closure);
    out->hops = hops_to(*entry);
    return out;
  }
  if (entry != nullptr) {
    return compile_call_of(*entry->function, hops_to(*entry), syntax);
  }
  TRY(const Function* function, prelude_function(syntax.name, arity));
  return function == nullptr ? compile_builtin(syntax) : compile_call_of(*function, 0, syntax);
}

Made Compiler::compile_builtin(const Syntax& syntax) {
  const std::string& name = syntax.name;
  const std::size_t arity = syntax.children.size();
  if (arity == 0 && name == "env") {
    return constant(Value::map({}));
  }
  if (arity == 0 && name == "empty") {
    return make(Node::Kind::empty);
  }
  if (arity == 0 && name == "input") {
    return refuse("input(s)/0 is not allowed");
  }
  if (arity == 1 && name == "path") {
    TRY(NodePointer inner, compile(*syntax.children[0]));
    return make(Node::Kind::path, std::move(inner));
  }
  NodePointer out = make(Node::Kind::native);
  out->native = find_native(name, arity);
  if (name == "_range" && arity == 3) {
    out->kind = Node::Kind::range;
  }
  if (out->native == nullptr) {
    return refuse("function not defined: " + name + "/" + std::to_string(arity));
  }
  for (const SyntaxPointer& argument : syntax.children) {
    TRY(NodePointer made, compile(*argument));
    out->children.push_back(std::move(made));
  }
  return out;
}

// Bindings.

void Compiler::store(PatternPlan& plan, const std::string& variable) {
  bind(Entry::Kind::variable, variable);
  plan.steps.push_back({.kind = PatternStep::Kind::store});
  ++plan.added;
}

void Compiler::load(PatternPlan& plan, std::size_t depth) {
  plan.steps.push_back({.kind = PatternStep::Kind::load, .hops = depth_ - depth});
}

Result<> Compiler::plan(const Pattern& pattern, PatternPlan& plan) {
  store(plan, pattern.variable);
  const std::size_t container = depth_;
  for (std::size_t i = 0; i < pattern.elements.size(); ++i) {
    load(plan, container);
    plan.steps.push_back({.kind = PatternStep::Kind::element, .index = i});
    TRY_VOID(this->plan(pattern.elements[i], plan));
  }
  for (const Pattern::Member& member : pattern.members) {
    TRY_VOID(plan_member(member, container, plan));
  }
  return {};
}

Result<> Compiler::plan_member(const Pattern::Member& member, std::size_t container,
                               PatternPlan& plan) {
  load(plan, container);
  const bool is_plain = member.key != nullptr && member.key->kind == Syntax::Kind::constant;
  if (member.key == nullptr || is_plain) {
    plan.steps.push_back(
        {.kind = PatternStep::Kind::member,
         .key = is_plain ? member.key->constant.as_text() : member.variable.substr(1)});
  } else {
    PatternStep evaluate{.kind = PatternStep::Kind::evaluate};
    TRY(evaluate.node, compile(*member.key));
    plan.steps.push_back(std::move(evaluate));
    plan.steps.push_back({.kind = PatternStep::Kind::lookup, .hops = depth_ - container});
  }
  if (!member.variable.empty()) {
    store(plan, member.variable);
  }
  return member.value == nullptr ? Result<>() : this->plan(*member.value, plan);
}

void collect_variables(const Pattern& pattern, std::vector<std::string>& names) {
  const auto put = [&names](const std::string& name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end()) {
      names.push_back(name);
    }
  };
  put(pattern.variable);
  for (const Pattern& element : pattern.elements) {
    collect_variables(element, names);
  }
  for (const Pattern::Member& member : pattern.members) {
    put(member.variable);
    if (member.value != nullptr) {
      collect_variables(*member.value, names);
    }
  }
}

/// Leaves the variables bound. An empty plan means one variable that is the value itself.
Result<std::vector<PatternPlan>> Compiler::plan_patterns(const std::vector<Pattern>& patterns) {
  std::vector<std::string> names;
  for (const Pattern& pattern : patterns) {
    collect_variables(pattern, names);
  }
  std::vector<PatternPlan> plans;
  if (patterns.size() == 1 && !patterns[0].variable.empty()) {
    plans.emplace_back();
  } else {
    for (const Pattern& pattern : patterns) {
      const Scope scope(*this);
      PatternPlan& one = plans.emplace_back();
      const std::size_t before = entries_.size();
      TRY_VOID(plan(pattern, one));
      for (const std::string& name : names) {
        PatternPlan::Source source;
        for (std::size_t i = before; i < entries_.size(); ++i) {
          if (entries_[i].name == name) {
            source = {true, hops_to(entries_[i])};
          }
        }
        one.variables.push_back(source);
      }
    }
  }
  for (const std::string& name : names) {
    bind(Entry::Kind::variable, name);
  }
  return plans;
}

Made Compiler::compile_bind(const Syntax& syntax) {
  TRY(NodePointer source, compile(*syntax.children[0]));
  const Scope scope(*this);
  TRY(auto plans, plan_patterns(syntax.patterns));
  TRY(NodePointer body, compile(*syntax.children[1]));
  NodePointer out = make(Node::Kind::bind, std::move(source), std::move(body));
  out->patterns = std::move(plans);
  return out;
}

Made Compiler::compile_loop(const Syntax& syntax) {
  TRY(NodePointer source, compile(*syntax.children[0]));
  TRY(NodePointer start, compile(*syntax.children[1]));
  const Scope scope(*this);
  TRY(auto plans, plan_patterns(syntax.patterns));
  TRY(NodePointer update, compile(*syntax.children[2]));
  const bool is_reduce = syntax.kind == Syntax::Kind::reduce;
  NodePointer out = make(is_reduce ? Node::Kind::reduce : Node::Kind::foreach, std::move(source),
                         std::move(start), std::move(update));
  if (syntax.children.size() > 3) {
    TRY(NodePointer extract, compile(*syntax.children[3]));
    out->children.push_back(std::move(extract));
  }
  out->patterns = std::move(plans);
  return out;
}

}  // namespace

Result<Program> compile_program(const Syntax& syntax) { return Compiler().run(syntax); }

}  // namespace tiphys::lang::jq
