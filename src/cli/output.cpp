#include "output.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "guests.hpp"
#include "plumbline/base/curve_key.hpp"
#include "plumbline/base/key_shape.hpp"
#include "plumbline/plan/render.hpp"

namespace plumbline::cli {

namespace json = boost::json;

namespace {

/// Public keys of tunnels stay: a `publicKey`, and the names of `peers`.
bool is_public_key(std::string_view parent, std::string_view text) {
  return (parent == "publicKey" || parent == "peers") && PublicKey::parse(text).has_value();
}

/// Whatever somebody wrote anywhere may be a key. `parent`: the name that `value` has.
json::value without_keys_in(const json::value& value, std::string_view parent) {
  if (const auto* text = value.if_string()) {
    if (is_public_key(parent, *text)) return value;
    return json::value(parent == "pointer" ? pointer_without_keys(*text) : without_keys(*text));
  }
  if (const auto* array = value.if_array()) {
    json::array shown;
    for (const json::value& element : *array) shown.push_back(without_keys_in(element, parent));
    return shown;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  json::object shown;
  for (const auto& [key, member] : *object) {
    const std::string name = is_public_key(parent, key) ? std::string(key) : without_keys(key);
    shown[name] = without_keys_in(member, key);
  }
  return shown;
}

void to_stream(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
}

/// What is not ASCII, within a text of JSON. A byte that is no UTF-8 becomes what printable() makes
/// of it; the control characters of C1, which a terminal would obey, are escaped.
std::string in_utf8(std::string_view run) {
  std::string text;
  if (!is_utf8(run)) {
    for (const char c : printable(run)) text += c == '\\' ? "\\\\" : std::string(1, c);
    return text;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t i = 0; i < run.size(); ++i) {
    const auto next = i + 1 < run.size() ? static_cast<unsigned char>(run[i + 1]) : 0U;
    if (run[i] == '\xc2' && next < 0xa0U) {
      text += {'\\', 'u', '0', '0', digits[next >> 4U], digits[next & 15U]};
      ++i;
    } else {
      text += run[i];
    }
  }
  return text;
}

/// JSON whose texts may hold any bytes, as file names and what others call their interfaces do.
std::string with_texts_in_utf8(std::string_view json) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80U; };
  std::string text;
  while (!json.empty()) {
    const auto ascii = std::ranges::find_if_not(json, is_ascii) - json.begin();
    text += json.substr(0, static_cast<std::size_t>(ascii));
    json.remove_prefix(static_cast<std::size_t>(ascii));
    const auto run = std::ranges::find_if(json, is_ascii) - json.begin();
    text += in_utf8(json.substr(0, static_cast<std::size_t>(run)));
    json.remove_prefix(static_cast<std::size_t>(run));
  }
  return text;
}

void pretty(const json::value& value, std::size_t depth, std::string& out) {
  const auto line = [&](std::size_t by) { out += "\n" + std::string(2 * by, ' '); };
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    for (const auto& member : *object) {
      if (out.back() != '{') out += ',';
      line(depth + 1);
      out += json::serialize(member.key()) + ": ";
      pretty(member.value(), depth + 1, out);
    }
    line(depth);
    out += '}';
  } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
    out += '[';
    bool first = true;
    for (const json::value& element : *array) {
      if (!first) out += ',';
      first = false;
      line(depth + 1);
      pretty(element, depth + 1, out);
    }
    line(depth);
    out += ']';
  } else {
    out += json::serialize(value);
  }
}

/// A replacement's two steps are one to the reader: the worse result of the two.
engine::StepReport worse(const engine::StepReport& a, const engine::StepReport& b) {
  if (a.result == engine::StepResult::failed || b.error == 0) return a;
  return b;
}

struct ShownStep {
  const Step* step;
  engine::StepReport report;
};

std::vector<ShownStep> shown_steps(const Plan& plan, const engine::Report& report) {
  std::vector<ShownStep> shown;
  std::map<std::size_t, std::size_t> by_id;
  for (std::size_t i = 0; i < plan.steps.size() && i < report.steps.size(); ++i) {
    const auto [it, fresh] = by_id.emplace(plan.steps[i].id, shown.size());
    if (fresh) {
      shown.push_back({&plan.steps[i], report.steps[i]});
    } else {
      ShownStep& earlier = shown[it->second];
      earlier.step = &plan.steps[i];
      earlier.report = worse(report.steps[i], earlier.report);
    }
  }
  return shown;
}

/// What guests have now: nothing that an apply which came to nothing would have given them.
json::array assignments_json(const engine::Prepared& prepared, const engine::Outcome& outcome) {
  const bool done =
      outcome.result == engine::Result::applied || outcome.result == engine::Result::unchanged;
  return done ? guests_json(spec::assignments_of(prepared.desired.assigned)) : json::array();
}

json::object outcome_json(const engine::Prepared& prepared, const engine::Outcome& outcome) {
  const Plan& plan = prepared.plan;
  json::array steps;
  const auto actions = shown_actions(plan);
  for (const ShownStep& shown : shown_steps(plan, outcome.report)) {
    json::object step{{"id", shown.step->id},
                      {"key", format(shown.step->key)},
                      {"action", actions.at(shown.step->id)},
                      {"result", engine::format(shown.report.result)}};
    if (shown.report.error != 0) {
      json::object error{{"message", shown.report.message}, {"errno", shown.report.error}};
      if (shown.report.busy) error["code"] = engine::busy_code;
      step["error"] = std::move(error);
    }
    steps.push_back(std::move(step));
  }
  json::object document{{"result", engine::format(outcome.result)},
                        {"steps", std::move(steps)},
                        {"assignments", assignments_json(prepared, outcome)}};
  if (!outcome.report.left_behind.empty()) {
    document["left_behind"] =
        json::array(outcome.report.left_behind.begin(), outcome.report.left_behind.end());
  }
  if (!outcome.settled.empty()) {
    document["settled"] = json::array(outcome.settled.begin(), outcome.settled.end());
  }
  if (!outcome.unsettled.empty()) {
    document["unsettled"] = json::array(outcome.unsettled.begin(), outcome.unsettled.end());
  }
  if (!outcome.not_in_force.empty()) {
    document["not_in_force"] = to_json(outcome.not_in_force);
  }
  if (!outcome.not_put_back.empty()) {
    document["not_put_back"] =
        json::array(outcome.not_put_back.begin(), outcome.not_put_back.end());
  }
  if (!outcome.warnings.empty()) {
    document["warnings"] = to_json(outcome.warnings);
  }
  return document;
}

/// Every key is always there; what has no place is in no file, at line 0.
json::object fault(std::string_view code, const std::string& message, const Origin& origin,
                   const std::string& pointer) {
  return {{"code", code},
          {"message", message},
          {"file", origin.known() ? *origin.file : std::string()},
          {"line", origin.line},
          {"column", origin.column},
          {"pointer", pointer}};
}

bool is_as_wanted(const engine::Outcome& outcome) {
  return outcome.unsettled.empty() && outcome.not_in_force.empty();
}

std::string not_back(const engine::Outcome& outcome) {
  if (outcome.not_put_back.empty()) return {};
  std::string text = "What was before could not all be put back, the rest is done:\n";
  for (const std::string& what : outcome.not_put_back) text += "  " + printable(what) + "\n";
  return text;
}

bool is_good(const engine::Outcome& outcome) {
  return outcome.result == engine::Result::applied && is_as_wanted(outcome) &&
         outcome.not_put_back.empty();
}

std::string outcome_text(const Plan& plan, const engine::Outcome& outcome, const char* done) {
  std::string text;
  for (const ShownStep& shown : shown_steps(plan, outcome.report)) {
    if (shown.report.error == 0) continue;
    text += "failed: " + printable(format(shown.step->key)) + ": " +
            (shown.report.busy ? std::string(engine::busy_code) + ": " : "") +
            printable(shown.report.message) + "\n";
  }
  const auto undone = std::ranges::count(outcome.report.steps, engine::StepResult::undone,
                                         &engine::StepReport::result);
  switch (outcome.result) {
    case engine::Result::refused:
      break;
    case engine::Result::unchanged:
      text += not_back(outcome);
      break;
    case engine::Result::applied:
      for (const std::string& key : outcome.settled) {
        text += "put right as well, moved by the kernel meanwhile: " + printable(key) + "\n";
      }
      if (!is_as_wanted(outcome)) text += "Done, but these are not as wanted:\n";
      for (const std::string& key : outcome.unsettled) text += "  " + printable(key) + "\n";
      for (const Diagnostic& place : outcome.not_in_force) text += "  " + format(place) + "\n";
      text += not_back(outcome);
      if (is_good(outcome)) text += std::string(done) + "\n";
      break;
    case engine::Result::rolled_back:
      text += "Rolled back: " + std::to_string(undone) +
              " steps undone. The host is as it was before.\n";
      break;
    case engine::Result::failed:
      text += "The rollback could not restore everything:\n";
      for (const std::string& what : outcome.report.left_behind) {
        text += "  " + printable(what) + "\n";
      }
      break;
  }
  return text;
}

}  // namespace

bool with_colour(const Options& options) {
  if (options.color != "auto") return options.color == "always";
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && isatty(STDOUT_FILENO) == 1;
}

void print_json(const json::value& value) {
  to_stream(stdout, with_texts_in_utf8(json::serialize(without_keys_in(value, {}))) + "\n");
}

std::string pretty(const json::value& value) {
  std::string out;
  pretty(without_keys_in(value, {}), 0, out);
  return with_texts_in_utf8(out) + "\n";
}

json::array to_json(const std::vector<Diagnostic>& diagnostics) {
  json::array array;
  for (const Diagnostic& diagnostic : diagnostics) {
    array.push_back(
        fault(format(diagnostic.code), diagnostic.message, diagnostic.origin, diagnostic.pointer));
  }
  return array;
}

void print_left_out(const Options& options, const std::vector<LeftOut>& objects,
                    const std::vector<Diagnostic>& places) {
  if (options.quiet) return;
  for (const LeftOut& object : objects) {
    to_stream(stderr, "left out: " + printable(object.what) + ": " + printable(object.why) + "\n");
  }
  for (const Diagnostic& place : places) {
    to_stream(stderr,
              "left out: " + printable(place.pointer) + ": " + printable(place.message) + "\n");
  }
}

void print_warnings(const Options& options, const std::vector<Diagnostic>& warnings) {
  if (options.quiet) return;
  for (const Diagnostic& warning : warnings) {
    to_stream(stderr, "warning: " + format(warning) + "\n");
  }
}

void print_errors(const Options& options, const std::vector<Diagnostic>& errors) {
  if (options.json()) {
    print_json(json::object{{"errors", to_json(errors)}});
    return;
  }
  for (const Diagnostic& error : errors) to_stream(stderr, format(error) + "\n");
}

void print_error(const Options& options, std::string_view code, const std::string& message) {
  if (options.json()) {
    print_json(json::object{{"errors", json::array{fault(code, message, {}, {})}}});
  } else {
    to_stream(stderr, std::string(code) + ": " + printable(message) + "\n");
  }
}

void print_usage_document(const WrongUsage& wrong) {
  print_json(json::object{{"errors", json::array{fault(wrong.code, wrong.message, {}, {})}}});
}

void print_refusal(const Options& options, const std::vector<Diagnostic>& refusals) {
  if (options.json()) {
    print_json(json::object{
        {"result", "refused"}, {"steps", json::array()}, {"errors", to_json(refusals)}});
    return;
  }
  for (const Diagnostic& refusal : refusals) to_stream(stderr, format(refusal) + "\n");
  to_stream(stderr, "Refused. Nothing was changed.\n");
}

void print_outcome(const Options& options, const engine::Prepared& prepared,
                   const engine::Outcome& outcome, const char* done) {
  print_warnings(options, outcome.warnings);
  if (options.json()) {
    print_json(outcome_json(prepared, outcome));
    return;
  }
  to_stream(is_good(outcome) ? stdout : stderr, outcome_text(prepared.plan, outcome, done));
}

}  // namespace plumbline::cli
