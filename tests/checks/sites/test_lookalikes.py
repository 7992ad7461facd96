"""Healthy pages that speak of what is missing, closed, expired or for sale: none of them is a failure."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.sites.content import judge_content
from checks.sites.page import read_page
from data.model.target import TargetKind

NEWS = "<meta property='og:type' content='article'>"
SIGN_UP = "<form><input type=email name=e><input type='password' name=p><button>Join</button></form>"
GAMES = "<ul>" + "".join(f"<li><a href=/slot/{n}>Slot {n} with free spins</a></li>" for n in range(100)) + "</ul>"
SOME = "Read our honest review of the games, the bonus and the payout times of this house. " * 4
LONG = SOME * 12

CLEAN = {
    # casino landings
    "a landing page": f"<title>Quillspin Casino</title><h1>Welcome bonus 100 %</h1>{SIGN_UP}<p>{SOME}</p>",
    "a landing page with terms": f"<h1>Get 200 free spins</h1>{SIGN_UP}<p>Bonus expires after 30 days. Expired bonuses are removed.</p>",
    "a landing page in German": f"<h1>Jetzt anmelden</h1>{SIGN_UP}<p>Nicht genutzte Freispiele verfallen nach 7 Tagen.</p>",
    "a landing page in Finnish": f"<h1>Talleta ja pelaa</h1>{SIGN_UP}<p>Tarjous on voimassa 31.12. asti.</p>",
    "an offer that is valid in Finnish": "<h1>Tervetuliaisbonus</h1><p>Tarjous on voimassa koko vuoden.</p>",
    "a landing page with small print of countries": f"<h1>Play now</h1>{SIGN_UP}<p>Offer not available in your country? See other offers.</p>",
    "a landing page that names restricted countries": f"<h1>Bonus</h1>{SIGN_UP}<p>{SOME} Restricted countries: FR, US. {SOME}</p>",
    "a game lobby": f"<title>Slots</title><h1>All games</h1>{GAMES}",
    "a lobby with one game under maintenance": f"<title>Slots</title>{GAMES}<p>Book of X: under maintenance</p>",
    "a page of promotions, one of which has ended": f"<title>Promotions</title><h1>Promotions</h1><p>{LONG}</p><p>This promotion has ended.</p>",
    "terms of a bonus": f"<title>Bonus terms</title><h1>Terms</h1><p>{LONG} If the offer has expired, the bonus is void.</p>",
    "a cashback table": f"<h1>Cashback</h1><table>{'<tr><td>10 %<td>weekly</tr>' * 40}</table>",
    # gates
    "an age gate": "<title>Are you 18?</title><h1>Are you over 18?</h1><a href=/yes>Yes</a> <a href=/no>No</a>",
    "an 18+ gate in German": "<h1>Bist du 18 Jahre oder älter?</h1><a href=/ja>Ja</a><a href=/nein>Nein</a>",
    "a gate in Spanish": "<h1>¿Eres mayor de edad?</h1><a href=/si>Sí</a>",
    "a cookie wall": "<h1>We value your privacy</h1><p>We and our partners store information on your device.</p><button>Accept all</button>",
    "a cookie wall in French": "<h1>Votre vie privée</h1><p>Nous utilisons des cookies.</p><button>Tout accepter</button>",
    "a cookie wall in Polish": "<h1>Szanujemy Twoją prywatność</h1><p>Używamy plików cookie.</p>",
    "a chooser of the country": "<h1>Choose your country</h1><a href=/de>Germany</a><a href=/fi>Finland</a>",
    "a country notice above a full page": f"<div>You are visiting from Finland.</div><h1>Casino</h1>{SIGN_UP}<p>{SOME}</p>",
    "a log-in page": f"<title>Log in</title><h1>Log in</h1>{SIGN_UP}<a href=/lost>Lost your password?</a>",
    # not found
    "an article about 404 pages": f"{NEWS}<title>How to design a page not found that people like</title><h1>How to design a page not found that people like</h1><p>{LONG}</p>",
    "a list of 404 pages": f"{NEWS}<title>20 great 404 pages</title><h1>20 great 404 pages</h1><p>{LONG}</p>",
    "a guide to a German error": f"{NEWS}<title>Was tun, wenn eine Seite nicht gefunden wird? Unser Ratgeber</title><p>{LONG}</p>",
    "404 in a name": "<title>Area 404 club</title><h1>Area 404 club</h1><p>Music on Friday.</p>",
    "404 as a number": f"<title>404 ways to win</title><h1>404 ways to win</h1><p>{SOME}</p>",
    "404 spins": "<title>404 free spins</title><h1>404 free spins for you</h1><p>Play now.</p>",
    "a room 404": "<h1>Room 404</h1><p>A quiet room with a view.</p>",
    "a page that mentions its search": "<h1>Find a casino</h1><p>Type a name. If nothing matches, we show the nearest.</p>",
    "an FAQ about missing pages": f"<title>FAQ</title><h1>Questions</h1><p>{LONG} What if the page does not exist? Tell us.</p>",
    "a page with a hidden message": "<title>Casino</title><h1>Casino</h1><p>Welcome.</p><div hidden>Page not found</div><div style='display: none'>This offer has expired</div>",
    "a page with a message in a template": "<h1>Casino</h1><p>Welcome.</p><template><p>Page not found</p></template><script>var m='Page not found'</script>",
    "a closed dialog": "<h1>Casino</h1><p>Welcome.</p><dialog>Not available in your country</dialog>",
    # maintenance
    "news about maintenance": f"{NEWS}<title>Bank announces scheduled maintenance</title><h1>Bank announces scheduled maintenance</h1><p>{SOME}</p>",
    "a maintenance company": "<title>Site maintenance services by Smith</title><h1>We keep your roof in shape</h1><p>Call us.</p>",
    "a Dutch gardener": "<title>Tuinonderhoud Jansen</title><h1>Uw tuin in goede handen</h1><p>Bel ons.</p>",
    "a German garage": "<title>Wartung und Reparatur | Autohaus Meier</title><h1>Ihr Autohaus</h1><p>Wir warten Ihr Auto.</p>",
    "a Swedish boiler service": "<title>Service och underhåll av pannor | Värme AB</title><p>Ring oss för ett besök hemma hos dig.</p>",
    "a status page": f"<title>Status</title><h1>All systems operational</h1><p>{LONG} Past incidents: scheduled maintenance completed.</p>",
    "a casino's notice of coming work": f"<h1>Casino</h1>{SIGN_UP}{GAMES}<p>Planned maintenance on Tuesday from 3 to 4.</p>",
    "an Italian plumber": "<title>Manutenzione caldaie Roma</title><h1>Caldaie a Roma</h1><p>Chiama ora.</p>",
    "a Russian workshop": "<title>Обслуживание автомобилей</title><h1>Ремонт и обслуживание</h1><p>Звоните нам.</p>",
    # parked
    "an article about domains": f"{NEWS}<title>Is this domain for sale? How to find out who owns it</title><p>{LONG}</p>",
    "a marketplace": f"<title>Domain marketplace</title><h1>Buy and sell domains</h1>{SIGN_UP}<p>{SOME} Thousands of domains for sale.</p>",
    "a registrar": f"<title>Register your domain</title><h1>Find your domain</h1>{SIGN_UP}<p>Is your domain name taken?</p>",
    "a house for sale": "<title>House for sale in Riga</title><h1>House for sale</h1><p>Four rooms.</p>",
    "a shop with related searches": f"<title>Shoes</title><h1>Shoes</h1><p>{SOME}</p><p>Related searches: boots, sandals</p>",
    "a parking place": "<title>Parking at the airport</title><h1>Parked by us, safe with us</h1><p>From 5 a day.</p>",
    # default pages
    "a coming game": f"<title>New slots</title><h1>Coming soon: Book of Y</h1><p>{SOME}</p>",
    "a guide to nginx": f"{NEWS}<title>How to replace the Welcome to nginx page with your own site</title><p>{LONG}</p>",
    "an index of games": f"<title>Index of games</title><h1>Index of games</h1>{GAMES}",
    "a builder": "<title>Houses under construction in Tartu</title><h1>New houses</h1><p>Ready in May.</p>",
    "a suspended player in the news": f"{NEWS}<title>Striker suspended for three games</title><h1>Striker suspended for three games</h1><p>{SOME}</p>",
    # errors
    "an article about an error": f"{NEWS}<title>How to fix an internal server error in your shop</title><p>{LONG}</p>",
    "error in a name": "<title>Error-free betting</title><h1>Error-free betting</h1><p>We check each slip.</p>",
    "500 in a title": "<title>500 free spins | Casino</title><h1>500 free spins</h1><p>Play.</p>",
    "503 area code": "<title>Call 503 555 0100</title><p>Portland's best pizza.</p>",
    "a warning about gambling": "<h1>Casino</h1><p>Warning: gambling can be addictive. Play with sense.</p>",
    # offers
    "a sold-out product": "<title>Blue shoe</title><h1>Blue shoe</h1><p>Sold out. Back in stock in May.</p><button disabled>Buy</button>",
    "a coupon site": f"<title>Coupons</title><h1>Coupons of today</h1><p>{LONG}</p><p>Expired coupons</p>",
    "a partner programme": f"<title>Affiliates</title><h1>Become a partner</h1>{SIGN_UP}<p>Earn from active campaigns.</p>",
    "an offer that ends soon": "<h1>Offer ends Sunday</h1><p>Claim your bonus before it has gone.</p>",
    "an offer in Polish that goes on": "<h1>Promocja trwa do niedzieli</h1><p>Odbierz bonus.</p>",
    "an offer in Spanish that goes on": "<h1>Oferta disponible hasta el domingo</h1><p>Reclama tu bono.</p>",
    "an offer in German that is valid": "<h1>Dieses Angebot ist gültig bis Sonntag</h1><p>Jetzt sichern.</p>",
    "an offer in Russian that goes on": "<h1>Акция действует до воскресенья</h1><p>Получите бонус.</p>",
    "an offer in Japanese that goes on": "<h1>キャンペーン開催中</h1><p>今すぐ登録。</p>",
    "an offer in Turkish that goes on": "<h1>Kampanya pazar gününe kadar geçerli</h1><p>Hemen katıl.</p>",
    "a limit on play": f"<h1>Safer gambling</h1><p>{SOME} When your limit is reached, we tell you.</p>",
    "news about a country's law": f"{NEWS}<title>New law: betting not available in your country soon?</title><p>{LONG}</p>",
    "a list of countries served": "<h1>Where we are</h1><p>Available in your country: Finland, Sweden, Estonia.</p>",
    # applications
    "an application's shell": "<title>Casino</title><div id=root></div><script src=/app.js></script>",
    "a page that needs scripts": "<title>Casino</title><noscript>Page not found without JavaScript</noscript><div id=app></div><script src=/a.js></script>",
    "a picture": "<title>Casino</title><img src=/banner.png alt='Play'>",
    "a page that shows itself by script": "<body style='display:none'><div style='display:none'><h1>Casino</h1><p>Welcome to the house.</p></div><script src=/a.js></script>",
}  # fmt: skip

GOING_ON = {
    "en": ("This offer is available and active.", "Available in your country."),
    "de": ("Das Angebot ist verfügbar und die Aktion ist aktiv.", "In Ihrem Land verfügbar."),
    "fr": ("Cette offre est disponible. Le lien est actif.", "Disponible dans votre pays."),
    "es": ("La oferta está disponible y la promoción está activa.", "Disponible en tu país."),
    "pt": ("A oferta está disponível. A campanha está ativa.", "Disponível no seu país."),
    "it": ("L'offerta è disponibile. La promozione è attiva.", "Disponibile nel tuo paese."),
    "nl": ("Deze aanbieding is geldig. De actie is actief.", "Beschikbaar in uw land."),
    "pl": ("Oferta jest dostępna. Promocja jest aktywna.", "Dostępne w Twoim kraju."),
    "cs": ("Nabídka je platná. Akce je aktivní.", "Dostupné ve vaší zemi."),
    "sk": ("Ponuka je platná. Akcia je aktívna.", "Dostupné vo vašej krajine."),
    "ro": ("Oferta este disponibilă. Promoția este activă.", "Disponibil în țara dumneavoastră."),
    "hu": ("Az ajánlat érvényes. A promóció elérhető.", "Elérhető az Ön országában."),
    "el": ("Η προσφορά είναι διαθέσιμη και ενεργή.", "Διαθέσιμο στη χώρα σας."),
    "bg": ("Офертата е валидна. Промоцията е активна.", "Достъпно във вашата държава."),
    "ru": ("Предложение действительно. Акция активна.", "Доступно в вашей стране."),
    "uk": ("Пропозиція дійсна. Акція активна.", "Доступно у вашій країні."),
    "tr": ("Kampanya geçerli. Teklif aktif.", "Ülkenizde kullanılabilir."),
    "sv": ("Erbjudandet är tillgängligt. Kampanjen är aktiv.", "Tillgänglig i ditt land."),
    "no": ("Tilbudet er gyldig. Kampanjen er aktiv.", "Tilgjengelig i ditt land."),
    "da": ("Tilbuddet er gyldigt. Kampagnen er aktiv.", "Tilgængelig i dit land."),
    "fi": ("Tarjous on voimassa. Linkki on aktiivinen.", "Saatavilla maassasi."),
    "et": ("Pakkumine on saadaval. Kampaania on aktiivne.", "Saadaval teie riigis."),
    "lv": ("Piedāvājums ir pieejams. Akcija ir spēkā.", "Pieejams jūsu valstī."),
    "lt": ("Pasiūlymas galioja. Akcija yra aktyvi.", "Prieinama jūsų šalyje."),
    "ja": ("キャンペーンは開催中です。", "日本で利用できます。"),
    "zh": ("活动进行中，链接有效。", "支持本地区。"),
    "ko": ("이벤트가 진행 중입니다.", "한국에서 이용 가능합니다."),
}


def judge(html, kind):
    return judge_content(read_page(html.encode(), "text/html; charset=utf-8"), kind, 200)


@pytest.mark.parametrize("kind", [TargetKind.SITE, TargetKind.LINK])
@pytest.mark.parametrize("page", CLEAN)
def test_a_healthy_page_stays_clean(page, kind):
    assert judge(CLEAN[page], kind) is None


@pytest.mark.parametrize("kind", [TargetKind.SITE, TargetKind.LINK])
@pytest.mark.parametrize("language", GOING_ON)
def test_an_offer_that_goes_on_is_not_one_that_ended(language, kind):
    offer, country = GOING_ON[language]
    assert judge(f"<h1>{offer}</h1><p>{country}</p>", kind) is None
    assert judge(f"<title>{country}</title><p>{offer}</p>", kind) is None


def test_there_are_enough_of_them():
    assert len(CLEAN) >= 60


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(CLEAN)), st.integers(0, 120))
def test_navigation_around_a_healthy_page_changes_nothing(page, links):
    navigation = "<nav>" + "".join(f"<a href=/{n}>Slot {n}</a> " for n in range(links)) + "</nav>"
    assert judge(navigation + CLEAN[page], TargetKind.LINK) is None


@pytest.mark.parametrize(
    ("html", "cause"),
    [
        ("<div style='display:none'>Welcome</div><h1>Page not found</h1>", "content.soft404"),
        (f"<title>Page not found</title><h1>Page not found</h1>{SIGN_UP}<p>{SOME}</p>", "content.soft404"),
        (f"<title>404 - Casino</title>{SIGN_UP}{GAMES}", "content.soft404"),
        ("\u200b\u00a0\u2060", "content.empty"),
        ("<body>&nbsp;&#8203;</body>", "content.empty"),
        (f"{NEWS}<p>{LONG}</p>Fatal error: Uncaught Error in /var/www/x.php:3", "content.app_error"),
    ],
)
def test_what_speaks_against_a_failure_does_not_hide_a_plain_one(html, cause):
    found = judge(html, TargetKind.LINK)
    assert found is not None
    assert found.cause == cause
