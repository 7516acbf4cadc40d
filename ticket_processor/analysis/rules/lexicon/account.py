"""Words that speak for the category ``account``."""

from __future__ import annotations

from .entries import ByLanguage

ACCOUNT: ByLanguage = {
    "en": {
        3: (
            "log in, login*, logging in, log-in*, sign in, sign-in*, signing in, sign up, signup*, password*, "
            "passcode*, pin, username*, user name, locked out, account ~ locked, unlock*, reset my, "
            "permission*, access right*, admin right*, administrator right*, administrative right*, "
            "verify my identity, identity verification, identity check, verification code, two-factor, 2fa, "
            "mfa, authenticat*, credential*, personal detail*, personal information, personal data, profile*, "
            "close my account, close ~ account, delete my account, delete ~ account, cancel my account, "
            "open ~ account, opening an account, create ~ account, new account, account ~ closed, "
            "account ~ blocked, blocked account, account ~ hold, hold on ~ account, edit ~ account, "
            "change ~ account, switch ~ account, account settings, account access, user account*, "
            "registration*, sign-on, sso, active directory, activate my card, activate ~ card, activation, "
            "application status, my application, apply for, verify ~ identity, grant access, access to, "
            "granted access, change my name, remove ~ account, deactivate*, standard account, premium account, "
            "freemium account, user accounts"
        ),
        2: (
            "account, accounts, register*, rights, access, identity, verify, verification, verified, prove, "
            "role, roles, user, users, folder access, security question*, joiner, leaver, onboard user, "
            "membership*, change ~ address, activate*, credit limit, eligible, eligibility, mailbox, licence, "
            "license*, closing"
        ),
        1: "email address, settings, phone number, subscription settings, sharepoint, group, details",
    },
    "de": {
        3: (
            "einloggen, anmelde*, *passwort*, *kennwort*, *benutzerkonto*, nutzerkonto, kundenkonto, "
            "*benutzername*, *zugangsdaten*, *zugriffsrecht*, *berechtigung*, konto ~ gesperrt, "
            "konto gesperrt, konto löschen, konto schließen, registrier*, *authentifizierung*, "
            "identitätsprüfung, profil*, persönliche daten, pin, login*, anmelden, anmeldung, entsperr*, "
            "freischalt*, kontozugriff*, log-in"
        ),
        2: (
            "konto, kontos, konten, zugang, zugriff, zugänge, nutzer, benutzer*, rollen, rechte, gesperrt, "
            "verifizier*, identität, mitgliedschaft"
        ),
        1: "einstellungen, kontaktdaten",
    },
    "fr": {
        3: (
            "se connecter, me connecter, identifiant*, mot de passe, mots de passe, authentif*, "
            "compte ~ bloqué, supprimer ~ compte, fermer ~ compte, ouvrir ~ compte, créer ~ compte, "
            "mon compte, profil*, droits d'accès, autorisation*, déverrouill*, données personnelles, "
            "inscription*, code pin"
        ),
        2: "compte, comptes, accès, accéder, identité, utilisateur*, adhésion",
        1: "paramètres, coordonnées",
    },
    "es": {
        3: (
            "iniciar sesión, inicio de sesión, contraseña*, nombre de usuario, cuenta ~ bloqueada, mi cuenta, "
            "eliminar ~ cuenta, cerrar ~ cuenta, crear ~ cuenta, abrir ~ cuenta, perfil*, permisos, "
            "derechos de acceso, autentic*, verificación de identidad, datos personales, registr*, desbloque*, "
            "credencial*, acceder a mi"
        ),
        2: "cuenta, cuentas, acceso, acceder, usuario*, identidad, clave, pin",
        1: "ajustes",
    },
    "pt": {
        3: (
            "fazer login, login, senha*, palavra-passe, nome de usuário, conta ~ bloqueada, minha conta, "
            "excluir ~ conta, encerrar ~ conta, fechar ~ conta, criar ~ conta, abrir ~ conta, perfil*, "
            "permiss*, direitos de acesso, autentic*, verificação de identidade, dados pessoais, cadastr*, "
            "registar, desbloque*, credencia*, iniciar sessão"
        ),
        2: "conta, contas, acesso, acessar, aceder, usuário*, utilizador*, identidade, pin",
    },
    "it": {
        3: (
            "accedere, login, password, nome utente, account ~ bloccato, mio account, profilo, profili, "
            "permess*, autentic*, verifica ~ identità, dati personali, registrazion*, registrar*, sblocc*, "
            "credenzial*, chiudere ~ conto, cancellare ~ account, eliminare ~ account, creare ~ account"
        ),
        2: "account, accesso, utente, utenti, identità, conto, pin",
    },
    "nl": {
        3: (
            "inloggen, ingelogd, inlog*, aanmelden, wachtwoord*, gebruikersnaam, account ~ geblokkeerd, "
            "mijn account, account verwijderen, account opzeggen, account aanmaken, profiel*, *rechten, "
            "machtiging*, autoris*, persoonlijke gegevens, registr*, deblokker*, verificatie*, "
            "persoonsgegevens"
        ),
        2: "account*, toegang, gebruiker*, identiteit, geblokkeerd, pincode",
    },
    "ja": {
        3: (
            "ログイン, サインイン, パスワード, アカウント, 暗証番号, 退会, 会員登録, 権限, 認証, 本人確認, "
            "ユーザー名, 個人情報の変更, 登録情報"
        ),
        2: "アクセス権, 登録, ユーザー, プロフィール, ロックされ, 解約",
    },
}
