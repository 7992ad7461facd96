"""Pages that earn nothing, in the words of 27 languages, whatever stands around them."""

from __future__ import annotations

import html as entities
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.sites.content import judge_content
from checks.sites.page import read_page
from data.model.target import TargetKind

MISSING, MAINTAINED, PARKED = "content.soft404", "content.maintenance", "content.parked"
INACTIVE, BLOCKED, BROKEN, UNBUILT = "link.inactive", "geo.blocked", "content.app_error", "content.default_page"

SAID = {
    "en": [
        (MISSING, "Sorry, the page you were looking for could not be found."),
        (MAINTAINED, "We are currently performing scheduled maintenance."),
        (PARKED, "This domain may be for sale. Make an offer."),
        (INACTIVE, "This promotion has expired."),
        (INACTIVE, "The campaign is paused."),
        (INACTIVE, "Your affiliate account has been suspended"),
        (INACTIVE, "We are no longer accepting new players."),
        (INACTIVE, "Join the waiting list and be the first to know."),
        (INACTIVE, "The daily cap has been reached"),
        (INACTIVE, "Invalid tracking link"),
        (BLOCKED, "Our services are not available in your country."),
        (BLOCKED, "Players from your country are not accepted."),
        (UNBUILT, "This website is under construction"),
    ],
    "de": [
        (MISSING, "Die angeforderte Seite wurde leider nicht gefunden."),
        (MAINTAINED, "Wegen Wartungsarbeiten sind wir gleich wieder für Sie da."),
        (PARKED, "Die Domain casino-x.example steht zum Verkauf."),
        (INACTIVE, "Dieses Angebot ist leider nicht mehr verfügbar."),
        (INACTIVE, "Die Kampagne wurde beendet."),
        (INACTIVE, "Das Partnerkonto wurde gesperrt."),
        (BLOCKED, "Dieser Inhalt ist in Ihrem Land nicht verfügbar."),
        (BROKEN, "Fehler beim Aufbau einer Datenbankverbindung"),
        (UNBUILT, "Hier entsteht: die Webseite befindet sich im Aufbau"),
    ],
    "fr": [
        (MISSING, "La page que vous recherchez n’existe pas."),
        (MAINTAINED, "Le site est actuellement en maintenance."),
        (PARKED, "Ce nom de domaine est à vendre"),
        (INACTIVE, "Cette offre a expiré."),
        (INACTIVE, "L'offre n'est plus disponible."),
        (INACTIVE, "Ce lien n'est plus valide."),
        (BLOCKED, "Ce site n'est pas accessible depuis votre pays."),
        (BROKEN, "Erreur lors de la connexion à la base de données"),
        (UNBUILT, "Site en construction"),
    ],
    "es": [
        (MISSING, "La página solicitada no existe."),
        (MAINTAINED, "Estamos en mantenimiento. Volvemos enseguida."),
        (PARKED, "Este dominio está en venta"),
        (INACTIVE, "La promoción ya no está disponible"),
        (INACTIVE, "El enlace ha caducado"),
        (BLOCKED, "Este sitio no está disponible en tu país"),
        (BROKEN, "Error al establecer una conexión con la base de datos"),
    ],
    "pt": [
        (MISSING, "Página não encontrada"),
        (MAINTAINED, "O site está em manutenção"),
        (PARKED, "Este domínio está à venda"),
        (INACTIVE, "A oferta expirou"),
        (INACTIVE, "Esta campanha foi encerrada"),
        (BLOCKED, "Este serviço não está disponível no seu país"),
    ],
    "it": [
        (MISSING, "La pagina richiesta non è stata trovata"),
        (MAINTAINED, "Sito in manutenzione, torneremo presto"),
        (PARKED, "Questo dominio è in vendita"),
        (INACTIVE, "L'offerta è scaduta"),
        (INACTIVE, "Questa promozione non è più disponibile"),
        (BLOCKED, "Il sito non è disponibile nel tuo paese"),
    ],
    "nl": [
        (MISSING, "De pagina kan niet worden gevonden"),
        (MAINTAINED, "Wegens onderhoud zijn wij tijdelijk niet bereikbaar"),
        (PARKED, "Deze domeinnaam is te koop"),
        (INACTIVE, "Deze aanbieding is verlopen"),
        (INACTIVE, "De actie is niet meer geldig"),
        (BLOCKED, "Niet beschikbaar in uw land"),
    ],
    "pl": [
        (MISSING, "Strona, której szukasz, nie istnieje"),
        (MAINTAINED, "Przerwa techniczna"),
        (PARKED, "Ta domena jest na sprzedaż"),
        (INACTIVE, "Promocja została zakończona"),
        (INACTIVE, "Link wygasł"),
        (BLOCKED, "Serwis jest niedostępny w Twoim kraju"),
    ],
    "cs": [
        (MISSING, "Stránka nebyla nalezena"),
        (MAINTAINED, "Probíhá údržba"),
        (PARKED, "Tato doména je na prodej"),
        (INACTIVE, "Nabídka již vypršela"),
        (INACTIVE, "Kampaň byla ukončena"),
        (BLOCKED, "Obsah není dostupný ve vaší zemi"),
    ],
    "sk": [
        (MISSING, "Stránka sa nenašla"),
        (MAINTAINED, "Prebieha údržba"),
        (PARKED, "Táto doména je na predaj"),
        (INACTIVE, "Ponuka už vypršala"),
        (BLOCKED, "Obsah nie je dostupný vo vašej krajine"),
    ],
    "ro": [
        (MISSING, "Pagina nu a fost găsită"),
        (MAINTAINED, "Site-ul este în mentenanță"),
        (PARKED, "Acest domeniu este de vânzare"),
        (INACTIVE, "Oferta a expirat"),
        (INACTIVE, "Promoția nu mai este disponibilă"),
        (BLOCKED, "Acest site nu este disponibil în țara dumneavoastră"),
    ],
    "hu": [
        (MISSING, "Az oldal nem található"),
        (MAINTAINED, "Karbantartás miatt az oldal szünetel"),
        (PARKED, "Ez a domain eladó"),
        (INACTIVE, "Az ajánlat lejárt"),
        (BLOCKED, "A szolgáltatás nem elérhető az Ön országában"),
    ],
    "el": [
        (MISSING, "Η σελίδα δεν βρέθηκε"),
        (MAINTAINED, "Η ιστοσελίδα είναι υπό συντήρηση"),
        (PARKED, "Αυτό το domain πωλείται"),
        (INACTIVE, "Η προσφορά έχει λήξει"),
        (BLOCKED, "Δεν είναι διαθέσιμο στη χώρα σας"),
    ],
    "bg": [
        (MISSING, "Страницата не е намерена"),
        (MAINTAINED, "Сайтът е в профилактика"),
        (PARKED, "Този домейн е за продажба"),
        (INACTIVE, "Офертата е изтекла"),
        (BLOCKED, "Сайтът не е достъпен във вашата държава"),
    ],
    "ru": [
        (MISSING, "Запрашиваемая страница не найдена"),
        (MAINTAINED, "На сайте ведутся технические работы"),
        (PARKED, "Этот домен продаётся"),
        (INACTIVE, "Предложение больше не действительно"),
        (INACTIVE, "Акция завершена"),
        (BLOCKED, "Сайт недоступен в вашей стране"),
        (BROKEN, "Внутренняя ошибка сервера"),
    ],
    "uk": [
        (MISSING, "Сторінку не знайдено"),
        (MAINTAINED, "Проводяться технічні роботи"),
        (PARKED, "Цей домен продається"),
        (INACTIVE, "Пропозиція більше не дійсна"),
        (BLOCKED, "Сервіс недоступний у вашій країні"),
    ],
    "tr": [
        (MISSING, "Aradığınız sayfa bulunamadı"),
        (MAINTAINED, "Sitemiz bakım çalışması nedeniyle kapalıdır"),
        (PARKED, "Bu alan adı satılıktır"),
        (INACTIVE, "Kampanya sona ermiştir"),
        (BLOCKED, "Bu hizmet ülkenizde kullanılamıyor"),
    ],
    "sv": [
        (MISSING, "Sidan kunde inte hittas"),
        (MAINTAINED, "Underhållsarbete pågår"),
        (PARKED, "Domänen är till salu"),
        (INACTIVE, "Erbjudandet är inte längre tillgängligt"),
        (BLOCKED, "Inte tillgänglig i ditt land"),
    ],
    "no": [
        (MISSING, "Siden finnes ikke"),
        (MAINTAINED, "Vi er snart tilbake. Planlagt vedlikehold."),
        (PARKED, "Domenet er til salgs"),
        (INACTIVE, "Tilbudet er ikke lenger gyldig"),
        (BLOCKED, "Ikke tilgjengelig i ditt land"),
    ],
    "da": [
        (MISSING, "Siden blev ikke fundet"),
        (MAINTAINED, "Lukket for vedligeholdelse"),
        (PARKED, "Domænet er til salg"),
        (INACTIVE, "Tilbuddet er udløbet"),
        (BLOCKED, "Ikke tilgængelig i dit land"),
    ],
    "fi": [
        (MISSING, "Etsimääsi sivua ei löytynyt"),
        (MAINTAINED, "Huoltokatko"),
        (PARKED, "Tämä verkkotunnus on myytävänä"),
        (INACTIVE, "Tarjous on päättynyt"),
        (BLOCKED, "Palvelu ei ole saatavilla maassasi"),
    ],
    "et": [
        (MISSING, "Lehte ei leitud"),
        (MAINTAINED, "Käimas on hooldustööd"),
        (PARKED, "See domeen on müügis"),
        (INACTIVE, "Pakkumine on lõppenud"),
        (BLOCKED, "Teenus ei ole teie riigis saadaval"),
    ],
    "lv": [
        (MISSING, "Lapa nav atrasta"),
        (MAINTAINED, "Notiek tehniskie darbi"),
        (PARKED, "Šis domēns ir pārdošanā"),
        (INACTIVE, "Piedāvājums ir beidzies"),
        (BLOCKED, "Pakalpojums nav pieejams jūsu valstī"),
    ],
    "lt": [
        (MISSING, "Puslapis nerastas"),
        (MAINTAINED, "Vykdomi techniniai darbai"),
        (PARKED, "Šis domenas parduodamas"),
        (INACTIVE, "Pasiūlymas nebegalioja"),
        (BLOCKED, "Paslauga neprieinama jūsų šalyje"),
    ],
    "ja": [
        (MISSING, "お探しのページは見つかりませんでした"),
        (MAINTAINED, "ただいまメンテナンス中です"),
        (PARKED, "このドメインは販売中です"),
        (INACTIVE, "このキャンペーンは終了しました"),
        (BLOCKED, "お住まいの地域ではご利用いただけません"),
    ],
    "zh": [
        (MISSING, "您访问的页面不存在"),
        (MAINTAINED, "系统维护中"),
        (PARKED, "此域名正在出售"),
        (INACTIVE, "该活动已结束"),
        (BLOCKED, "您所在的地区无法使用本服务"),
    ],
    "ko": [
        (MISSING, "페이지를 찾을 수 없습니다"),
        (MAINTAINED, "서버 점검 중입니다"),
        (PARKED, "이 도메인은 판매 중입니다"),
        (INACTIVE, "이벤트가 종료되었습니다"),
        (BLOCKED, "해당 국가에서는 이용할 수 없습니다"),
    ],
}
CASES = [(language, cause, words) for language, rows in SAID.items() for cause, words in rows]
NAVIGATION = "<header><a href=/>Home</a> <a href=/a>Slots</a> <a href=/b>Bonus</a> <a href=/c>Live</a></header>"
FOOTER = "<footer>18+ · gambleaware · © 2026 Quillspin</footer>"
TITLE = 36
"""Characters; longer ones are sentences, which nobody has as a title."""
SHAPES = {
    "a paragraph": "<title>Quillspin</title>{nav}<p>{words}</p>{foot}",
    "a heading": "<title>Quillspin</title>{nav}<h1>{words}</h1><p>Quillspin</p>{foot}",
    "a title": "<title>{words} | Quillspin</title>{nav}<p>Quillspin</p>{foot}",
}


def judge(html, kind=TargetKind.LINK, status=200):
    return judge_content(read_page(html.encode(), "text/html; charset=utf-8"), kind, status)


@pytest.mark.parametrize(
    ("language", "cause", "words", "shape"),
    [(*case, shape) for case in CASES for shape in SHAPES if shape != "a title" or len(case[2]) <= TITLE],
)
def test_a_page_is_told_by_its_words_with_the_rule_that_spoke(language, cause, words, shape):
    found = judge(SHAPES[shape].format(words=words, nav=NAVIGATION, foot=FOOTER))
    assert found is not None
    assert found.cause == cause
    assert found.matched
    assert f"{language}." in found.rule


def test_there_are_enough_of_them():
    assert len(CASES) >= 120
    assert len(SAID) >= 27


@pytest.mark.parametrize(("cause", "meant"), [(MAINTAINED, "http.maintenance"), (BLOCKED, "http.legal_block")])
def test_on_its_error_status_the_same_words_name_the_status_cause(cause, meant):
    status = {"http.maintenance": 503, "http.legal_block": 403}[meant]
    for language, rows in SAID.items():
        for name, words in rows:
            found = judge(f"<p>{words}</p>", status=status)
            assert (found.cause if found else "") == (meant if name == cause else ""), (language, words)


def test_an_expired_offer_on_a_site_of_ours_is_not_the_partner_s():
    causes = {found.cause for _, cause, words in CASES if (found := judge(f"<p>{words}</p>", TargetKind.SITE))}
    assert INACTIVE not in causes


def bare(words):
    return "".join(c for c in unicodedata.normalize("NFD", words) if not unicodedata.combining(c))


DRESSES = {
    "as it is": entities.escape,
    "capitals": lambda words: entities.escape(words.upper()),
    "decomposed": lambda words: unicodedata.normalize("NFD", words),
    "entities": lambda words: "".join(f"&#{ord(char)};" for char in words),
    "hex entities": lambda words: "".join(f"&#x{ord(char):x};" for char in words),
    "spaces": lambda words: words.replace(" ", " \n\t&nbsp; "),
    "soft hyphens": "\u00ad".join,
    "marked up": lambda words: words.replace(" ", " <b></b>"),
}
LATIN = [case for case in CASES if case[0] not in {"ja", "zh", "ko"}]


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(CASES), st.sampled_from(sorted(DRESSES)), st.integers(0, 25), st.booleans())
def test_case_spaces_entities_accents_and_navigation_do_not_matter(case, dress, links, below):
    _, cause, words = case
    navigation = "<nav>" + "".join(f"<a href=/{n}>Slot {n}</a> " for n in range(links)) + "</nav>"
    body = f"<h2>{DRESSES[dress](words)}</h2>"
    found = judge(f"<title>Quillspin</title>{body}{navigation}" if below else f"{navigation}{body}")
    assert found is not None, (words, dress)
    assert found.cause == cause


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from([case for case in LATIN if case[0] not in {"el", "ru", "uk", "bg"}]))
def test_words_written_without_their_accents_are_the_same(case):
    _, cause, words = case
    found = judge(f"<h1>{bare(words)}</h1>")
    assert found is not None, bare(words)
    assert found.cause == cause


@pytest.mark.parametrize(
    "html",
    [
        "<title>404</title><p>Χάθηκες;</p>",
        "<title>404 - Sayfa</title><p>x</p>",
        "<title>HTTP 404</title>",
        "<h1>404</h1><p>Հայերեն</p>",
        "<title>Error 404 — ไม่พบ</title><p>ไม่พบ</p>",
        "<title>ფილმი</title><h1>404</h1>",
        "<body class='blog error404 wp'><title>x</title><p>404 · העמוד לא נמצא</p>",
        '<title>x</title><p>404 العربية</p><script id=__NEXT_DATA__>{"page":"/404"}</script>',
        "<title>Casino | 404</title><p>ไทย</p>",
        "<title>404 | Casino</title><p>ไทย</p>",
    ],
)
@pytest.mark.parametrize("kind", [TargetKind.SITE, TargetKind.LINK])
def test_a_missing_page_is_told_by_its_shape_in_a_language_without_words(html, kind):
    found = judge(html, kind)
    assert found is not None
    assert found.cause == MISSING


def test_weak_evidence_adds_up_and_each_piece_is_named():
    one = judge("<title>x</title><p>404 قطعة</p>")
    both = judge("<body class=error404><title>x</title><p>404 قطعة</p>")
    assert one is None
    assert both is not None
    assert both.rule.split() == ["neutral.404-body", "neutral.404-text"]
    assert both.evidence == {"matched": both.matched, "rule": both.rule, "score": "1.3"}
